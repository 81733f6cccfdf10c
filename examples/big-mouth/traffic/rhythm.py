"""When users come: quiet at night, busy at noon, busiest in the evening."""

import math

# Hour of the day, how much of the day's orders around it, and how wide.
PEAKS = ((12.5, 0.35, 1.3), (19.0, 0.55, 1.8))
ALL_DAY = 0.1


def busyness(time_of_day):
    """How busy it is at a share (0 to 1) of the day, of which the mean over a day is 1."""
    hour = time_of_day % 1 * 24
    return ALL_DAY + sum(share * bell(hour, middle, width) for middle, share, width in PEAKS)


def bell(hour, middle, width):
    """A bell around `middle` with the mean 1 over the 24 hours, which it goes around."""
    away = min(abs(hour - middle), 24 - abs(hour - middle))
    return 24 / (width * math.sqrt(2 * math.pi)) * math.exp(-((away / width) ** 2) / 2)
