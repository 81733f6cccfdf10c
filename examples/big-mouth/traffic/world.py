"""Who there is: restaurants with their menus, and users. Always the same."""

import random

CUISINES = {
    "thai": ["pad thai", "green curry", "mango rice"],
    "ramen": ["shoyu ramen", "miso ramen", "gyoza"],
    "pizza": ["margherita", "marinara", "calzone"],
    "bar": ["true blood", "peanuts", "olives"],
    "burger": ["cheeseburger", "fries", "shake"],
    "indian": ["dal", "biryani", "naan"],
}
NAMES = ["Fangtasia", "The Bronze", "Lafayette's", "Merlotte's", "Ten Forward", "Los Pollos", "Moe's", "Monk's", "Central Perk",
         "The Drake", "Paddy's", "MacLaren's", "Bada Bing", "The Peach Pit", "Gus's", "Luke's", "JJ's", "Arnold's"]
USERS = 200
DECLINED_EACH = 40


def restaurants():
    dice = random.Random("restaurants")
    for number, name in enumerate(NAMES, 1):
        cuisine = list(CUISINES)[number % len(CUISINES)]
        menu = {dish: dice.randrange(4, 20) * 100 + 50 for dish in CUISINES[cuisine]}
        yield {"id": f"r-{number}", "name": name, "cuisine": cuisine, "menu": menu}


def users():
    for number in range(1, USERS + 1):
        card = "tok_declined" if number % DECLINED_EACH == 0 else f"tok_{number}"
        yield {"id": f"u-{number}", "email": f"user-{number}@example.com", "card": card}


def fill(aws_url):
    """Puts them into the tables, which must be there."""
    import boto3  # slow to import, and only this needs it

    db = boto3.resource("dynamodb", endpoint_url=aws_url, region_name="us-east-1",
                        aws_access_key_id="test", aws_secret_access_key="test")
    for table, items in (("restaurants", restaurants()), ("users", users())):
        with db.Table(table).batch_writer() as batch:
            for item in items:
                batch.put_item(Item=item)
