"""Numbers as people say them."""

ONES = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen").split()
TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()


def words(number, rng):
    """A whole number from 0 to 999 in words."""
    if number < 20:
        return ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        ten = "fourty" if tens == 4 and rng.random() < 0.1 else TENS[tens]
        return ten if ones == 0 else ten + rng.choice([" ", " ", "-", ""]) + ONES[ones] if rng.random() < 0.9 else (
            ten + "-" + ONES[ones])
    hundreds, rest = divmod(number, 100)
    head = rng.choice(["a", "one", "one"]) if hundreds == 1 else ONES[hundreds]
    if rest == 0:
        return f"{head} hundred" if hundreds > 1 or rng.random() < 0.8 else "hundred"
    return f"{head} hundred {rng.choice(['', 'and '])}{words(rest, rng)}"


def number(value, rng):
    """A number as digits (two times in three) or in words; halves are 21.5 or "twenty one and a half"."""
    whole = int(value)
    if value != whole:
        if rng.random() < 0.5:
            return f"{whole}{rng.choice(['.5', '.5', '.5', ',5'])}"
        if rng.random() < 0.3:
            return f"{whole} {rng.choice(['and a half', 'point five', 'and half'])}"
        return f"{words(whole, rng)} {rng.choice(['and a half', 'point five', 'and half'])}"
    return str(whole) if rng.random() < 0.62 else words(whole, rng)


SHARES = {
    50: ["half", "half", "halfway", "half way", "fifty fifty", "the middle", "the halfway point", "one half", "half of the way"],
    25: ["a quarter", "one quarter", "a quarter of the way"],
    75: ["three quarters", "three quarter", "three-quarters"],
    100: ["full", "maximum", "max", "the maximum", "the max", "full power", "a hundred", "hundred", "the highest setting", "the highest level"],
}


def percent(value, rng):
    """A share in per cent."""
    if value in SHARES and rng.random() < 0.35:
        return rng.choice(SHARES[value])
    text = number(value, rng)
    unit = rng.choice(["%", "%", "%", " %", " percent", " percent", " percent", " per cent", " pct", "", "", ""])
    return text + unit


def celsius(value, rng):
    text = number(value, rng)
    return text + rng.choice([" degrees", " degrees", " degrees", "°", "°c", " °c", " c", "c", " celsius", " degrees celsius", " deg", " degrees c",
                              " degrees centigrade", "", "", "", "", " degree"])


SPEEDS = {1: ["low", "the lowest", "the first speed", "the first setting", "lowest", "slowest", "low speed", "the low setting", "its lowest setting",
              "a low speed", "the gentlest setting", "minimum", "slow", "min", "the lowest setting", "the slowest", "the lowest speed", "gentle"],
          2: ["medium", "mid", "middle", "the medium setting", "the second speed", "the second setting", "mid speed", "the middle speed",
              "the middle setting", "normal", "moderate", "medium speed", "half"],
          3: ["high", "max", "the third speed", "the third setting", "highest", "fastest", "the high setting", "its highest setting", "full whack",
              "top", "the top setting", "flat out", "maximum", "full", "the highest", "fast", "the highest setting", "full speed", "top speed",
              "high speed", "the fastest", "full power", "full blast"]}


def speed(value, rng):
    """A fan speed from 1 to 3."""
    if rng.random() < 0.45:
        return rng.choice(SPEEDS[value])
    text = number(value, rng)
    return rng.choice(["{}", "{}", "speed {}", "level {}", "speed {}", "setting {}", "power {}", "gear {}", "step {}", "stage {}", "number {}",
                       "speed level {}", "power level {}"]).format(text)
