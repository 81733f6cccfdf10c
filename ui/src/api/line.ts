/** How a log record reads as one line. */
import { formatValue } from '../base/format';
import type { Log } from './model';

export type Level = 'error' | 'warn' | 'info';

/** OpenTelemetry numbers: 17 and up are errors, 13 to 16 warnings. */
export function levelOf(severityNumber: number): Level {
  if (severityNumber >= 17) return 'error';
  return severityNumber >= 13 ? 'warn' : 'info';
}

/** The short word beside a log: what the sender wrote, or what the number means. */
export function severityWord(log: Log): string {
  if (log.severityText !== '') return log.severityText.toLowerCase();
  const names = ['', 'trace', 'debug', 'info', 'warn', 'error', 'fatal'];
  return names[Math.ceil(Math.min(24, Math.max(0, log.severityNumber)) / 4)] ?? '';
}

/** The line to show: a structured body is read for its message. */
export function textOf(log: Log): string {
  const { body } = log;
  if (body === null || body === '') return log.eventName;
  if (typeof body === 'object' && !Array.isArray(body)) {
    const message = MESSAGE_KEYS.map((key) => (body as Record<string, unknown>)[key]).find(
      (value) => typeof value === 'string' && value !== '',
    );
    if (typeof message === 'string') return message;
  }
  return formatValue(body).trimEnd();
}

const MESSAGE_KEYS = ['message', 'msg', 'errorMessage'];
