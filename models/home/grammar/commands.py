"""Requests that we serve: a device, an action, a room and a value, put into words.

The room and the value are drawn first, so every sentence comes with its answer. A frame says where the room may go; what a
frame leaves open ("turn on {np}") goes into the noun phrase ("the kitchen lights", "the lights in the kitchen") or to either
end of the sentence ("in the kitchen, …").
"""

from . import climate, common, lights, noise, nouns, numbers, others, rooms
from .expand import render, slots

INTENTS = {
    "light": (lights.LIGHT, 20), "heating": (climate.HEATING, 20), "blind": (lights.BLIND, 13), "fan": (climate.FAN, 13),
    "plug": (others.PLUG, 5), "lock": (others.LOCK, 8), "alarm": (others.ALARM, 8), "media": (others.MEDIA, 18),
    "vacuum": (others.VACUUM, 9), "temperature": (climate.TEMPERATURE, 5), "humidity": (climate.HUMIDITY, 4),
}
# Whole-value sayings: (device, action, value or None, frames, share of that action's sentences).
SPECIAL = [
    ("light", "set", 100, lights.LIGHT_FULL, 0.09), ("light", "set", 50, lights.LIGHT_HALF, 0.05),
    ("blind", "set", 50, lights.BLIND_HALF, 0.12), ("media", "set", 0, others.MEDIA_MUTE, 0.10), ("media", "set", 100, others.MEDIA_FULL, 0.08),
]
# Sayings that fix the room: (device, room, frames by action).
FIXED = [("lock", None, others.LOCK_UP), ("lock", "all", others.LOCK_HOUSE)]
FIXED_SHARE = 0.10

DEVICES = list(INTENTS)
WEIGHTS = [weight for _, weight in INTENTS.values()]
# Doors are rarely spoken of by room.
ROOMLESS = {"lock": 0.66, "alarm": 0.72, "media": 0.5, "vacuum": 0.45}
PLURAL_ROOMS = ["all the", "all the", "all", "every single one of the", "all of the", "each of the", "all our", "all my"]
SINGULAR_ROOMS = ["every", "each", "every single"]
DETERMINERS = ["the", "the", "the", "the", "the", "the", "", "", "my", "our", "that", "this"]


def draw_value(device, rng):
    if device == "heating":
        value = rng.choice([18, 19, 20, 21, 22, 23, 24]) if rng.random() < 0.45 else rng.randint(5, 35)
        return value + 0.5 if rng.random() < 0.10 and value < 35 else value
    if device == "fan":
        return rng.randint(1, 3)
    roll = rng.random()
    if roll < 0.45:
        return rng.randrange(0, 101, 10)
    if roll < 0.65:
        return rng.randrange(5, 100, 5)
    return rng.choice([25, 50, 75, 100]) if roll < 0.75 else rng.randint(0, 100)


def say_value(device, value, rng, plain=False):
    text = value_words(device, value, rng, plain)
    return rng.choice(["about ", "around ", "exactly ", "roughly "]) + text if rng.random() < 0.04 else text


def value_words(device, value, rng, plain):
    if device == "heating":
        text = numbers.celsius(value, rng)
        bare = text.replace(".", "").replace(",", "").isalnum() and not text[-1:].isalpha()
        return numbers.number(value, rng) + " degrees" if plain and bare else text
    return numbers.speed(value, rng) if device == "fan" else numbers.percent(value, rng)


def draw_room(device, rng):
    if rng.random() < ROOMLESS.get(device, 0.38):
        return None
    return "all" if rng.random() < 0.10 else rng.choice(rooms.NAMES)


class Phrase:
    """One sentence in the making: which noun was chosen, whether the room has been said."""

    def __init__(self, device, room, rng, split, frame):
        self.room, self.rng, self.split = room, rng, split
        noun = rng.choice(split.words(nouns.NOUNS[device]))
        self.plural = noun.endswith("+")
        self.noun = noun.rstrip("+")
        self.device, self.said = device, room is None
        self.front = ""  # a room said before everything else
        used = slots(frame)
        places = []
        if "np" in used:
            places += ["attribute"] * 5 + ["after"] * 4
        if "in" in used:
            places += ["in"] * 6
        if "theroom" in used:
            places += ["theroom"] * 40
        places += ["end"] * (1 if places else 8) + ["front"] * (1 if len(places) > 1 else 2)
        self.place = rng.choice(places)

    def synonym(self):
        if self.device == "lock" and self.room == "hallway":  # "the entrance door" is the front door, not the hallway's
            return self.rng.choice(["hallway", "hallway", "hall", "corridor", "landing", "foyer"])
        return self.rng.choice(self.split.words(rooms.ROOMS[self.room]))

    def in_room(self):
        """"in the kitchen"."""
        rng, room = self.rng, self.room
        self.said = True
        if room == "all":
            return rng.choice(self.split.words(rooms.ALL_IN))
        if room == "garden" and rng.random() < 0.2:
            return rng.choice(rooms.OUTSIDE_IN)
        name = self.synonym()
        if name in rooms.ON_THE and rng.random() < 0.6:
            return rng.choice(["on the ", "on the ", "out on the ", "on my "]) + name
        return f"{rng.choice(rooms.PREPOSITIONS.get(room, rooms.IN) if rng.random() < 0.7 else rooms.IN)} {name}"

    def place_in(self):
        if not self.said and self.place == "in":
            return self.in_room()
        return self.rng.choice(rooms.HERE) if self.room is None and self.rng.random() < 0.22 else ""

    def the_room(self):
        """"the kitchen", "the whole house", "this room"."""
        rng = self.rng
        if self.room is None:
            return rng.choice(["the room", "this room", "the place", "it in here"]) if self.place == "theroom" else "the room"
        if self.said:
            return "the room"
        self.said = True
        if self.room == "all":
            return rng.choice(["the whole house", "the house", "every room", "all rooms", "all the rooms", "the entire house", "everywhere",
                               "the whole flat", "the whole place", "the entire place", "each room", "the whole apartment", "our whole home",
                               "the home"])
        if self.room == "garden" and rng.random() < 0.1:
            return rng.choice(["the outside", "outside"])
        return rng.choice(["the ", "the ", "the ", "the ", "the ", "my ", "our ", ""]) + self.synonym()

    def noun_phrase(self):
        """"the kitchen lights", "all the lights", "lights in the kitchen", "the lights"."""
        rng, noun = self.rng, self.noun
        determiner = rng.choice(DETERMINERS)
        if self.said or self.place not in ("attribute", "after"):
            return f"{determiner} {noun}"
        if self.room == "all":
            if self.place == "after":
                self.said = True
                whole = rng.choice(self.split.words(rooms.ALL_IN))
                return f"{rng.choice(['the', 'the', '', 'all the', 'all', 'every']) if self.plural else determiner} {noun} {whole}"
            self.said = True
            if self.plural:
                return f"{rng.choice(PLURAL_ROOMS)} {noun}"
            if self.device in ("light", "blind", "fan", "plug", "lock") or noun in ("radiator", "heater", "speaker", "thermostat", "tv"):
                if rng.random() < 0.35:
                    self.plural = True
                    return f"{rng.choice(PLURAL_ROOMS)} {noun}s"
                return f"{rng.choice(SINGULAR_ROOMS)} {noun}"
            return rng.choice([f"the whole house {noun}", f"the {noun} for the whole house", f"{noun} everywhere", f"the {noun} in all rooms",
                               f"the entire house's {noun}", f"the {noun} in every room"])
        if self.place == "after":
            text = self.in_room()
            if rng.random() < 0.10 and text.startswith("in the "):
                text = rng.choice(["of the ", "from the ", "for the "]) + text[7:]
            return f"{determiner} {noun} {text}"
        self.said = True
        if self.room == "garden" and rng.random() < 0.22:
            return f"{determiner} {rng.choice(rooms.OUTSIDE_ATTRIBUTE)} {noun}"
        name = self.synonym() + rng.choice(["", "", "", "", "", "", "'s", " room" if rng.random() < 0.1 else ""])
        return f"{determiner} {name} {noun}"

    def finish(self, text, kind):
        """Adds the room where nothing has said it: at the end, or in `front`."""
        if self.said:
            return text
        rng, where = self.rng, self.in_room()
        if self.place == "front" and kind != "ask":
            if rng.random() < 0.4 and self.room != "all" and where.startswith("in the "):
                where = where[7:] if rng.random() < 0.8 else where[3:]
                self.front = where + rng.choice([": ", ", ", " - ", ", "])
            else:
                self.front = where + rng.choice([", ", " ", ", "])
            return text
        if where.startswith("in the ") and self.room != "all" and rng.random() < 0.12:
            where = rng.choice(["", ", ", "- ", ", "]) + where[7:]
        return f"{text} {where}"


def context(phrase, device, value, rng, split):
    plural = phrase.plural
    loose = rng.random() < 0.04
    return {
        "np": phrase.noun_phrase, "in": phrase.place_in, "theroom": phrase.the_room, "np0": phrase.noun,
        "are": "is" if (not plural) != loose else "are", "aren't": "isn't" if not plural else "aren't", "s": "" if plural else "s", "ve": "ve" if plural else "s",
        "it": "them" if plural else "it",
        "odd": lambda: noise.invented(rng, 1, 2) if rng.random() < 0.12 else rng.choice(split.words(common.ODD_VERBS)),
        "light1": ["light", "lamp", "bulb"], "lights": ["lights", "lamps", "lighting"],
        "n": lambda: numbers.number(rng.randint(1, 60), rng), "small": lambda: numbers.number(rng.randint(1, 6), rng),
        "byp": lambda: f"by {numbers.number(rng.randint(1, 50), rng)}{rng.choice(['%', ' percent', ' percent', '', ' per cent', ' points', ' steps'])}",
        "byd": lambda: f"by {numbers.number(rng.randint(1, 6), rng)}{rng.choice([' degrees', ' degrees', '', '°', ' degree'])}" if rng.random() < 0.9 else "by half a degree",
        "v": lambda: say_value(device, value, rng), "v1": lambda: say_value(device, value, rng, plain=True),
        "bright": split.words(nouns.BRIGHTNESS), "bright0": ["brightness", "brightness", "light", ""] if device == "light" else ["brightness"],
        "temp": ["temperature", "temperature", "temperature", "temp", "room temperature", "heat level"],
        "tempn": split.words(nouns.NOUNS["temperature"]), "humn": split.words(nouns.NOUNS["humidity"]),
        "vol": split.words(nouns.VOLUME), "genre": lambda: nouns.genre(rng, split.words), "genre1": ["music", "jazz", "radio", "song", "podcast",
            "tv"],
        "genre2": ["the movie", "the film", "netflix", "the news", "the match"], "jam": ["jam", "jams", "music", "tunes", "bass"],
    }


def flatten(groups):
    return [(kind, frame) for kind, frames in groups.items() for frame in frames]


FRAMES = {(device, action): flatten(common.extend(device, action, groups))
          for device, (actions, _) in INTENTS.items() for action, groups in actions.items()}
TWICE = 0.06
KIND_SHARE = {"cmd": 0.46, "want": 0.18, "say": 0.36}


def choose_frame(device, action, rng, split):
    """A kind first (so that short lists are not drowned), then a frame of it."""
    allowed = split.pick_frames(FRAMES[device, action], key=lambda entry: f"{device} {action} {entry[1]}")
    kinds = sorted({kind for kind, _ in allowed})
    kind = rng.choices(kinds, [KIND_SHARE.get(k, 1) for k in kinds])[0]
    return kind, rng.choice([frame for k, frame in allowed if k == kind])


def answer(device, room, action, value):
    return {"device": device, "room": room, "action": action, "value": value}


def command(rng, split):
    """One request and its answer (a dict)."""
    device = rng.choices(DEVICES, WEIGHTS)[0]
    if device == "lock" and rng.random() < FIXED_SHARE:
        _, room, groups = rng.choice(FIXED)
        action = rng.choice(list(groups))
        text = rng.choice(split.pick_frames(groups[action]))
        kind = "ask" if action == "query" else "cmd"
        return dress(rng, kind, text, split), answer(device, room, action, None)
    actions = list(INTENTS[device][0])
    action = rng.choices(actions, [1.7 if a == "set" else 1 for a in actions])[0]
    room = draw_room(device, rng)
    value = draw_value(device, rng) if action == "set" else None
    kind, frame = choose_frame(device, action, rng, split)
    for special_device, special_action, special_value, frames, share in SPECIAL:
        if (special_device, special_action) == (device, action) and rng.random() < share:
            frame, kind, value = rng.choice(split.pick_frames(frames)), "say", special_value
            break
    text, front = say(device, action, room, value, kind, frame, rng, split)
    if kind != "ask" and action != "set" and rng.random() < TWICE:
        text, kind = twice(device, action, room, text, front, kind, rng, split)
        front = ""
    return dress(rng, kind, text, split, front), answer(device, room, action, value)


def say(device, action, room, value, kind, frame, rng, split):
    """A frame put into words: the sentence, and a room to say before everything else."""
    phrase = Phrase(device, room, rng, split, frame)
    text = render(frame, rng, context(phrase, device, value, rng, split))
    return phrase.finish(text, kind), phrase.front


def twice(device, action, room, text, front, kind, rng, split):
    """The same wish in two clauses, one of them naming the room: "it's dark in the hall, turn on the light"."""
    other_kind, frame = choose_frame(device, action, rng, split)
    other, _ = say(device, action, None, None, other_kind, frame, rng, split)
    if rng.random() < 0.5:
        other = noise.polite(rng, other_kind, other, split.words)
    first, second = (front + text, other) if rng.random() < 0.6 else (other, front + text)
    text = first + rng.choice([", ", ", ", ". ", " - ", " so ", ", so ", "; ", " ", ", please "]) + second
    return text, "say"


def dress(rng, kind, text, split, front=""):
    text = front + noise.polite(rng, kind, text, split.words)
    text = noise.reason(rng, text, split.words) if kind in ("cmd", "want") else text
    return noise.type_out(rng, noise.wake(rng, text), question=kind == "ask")
