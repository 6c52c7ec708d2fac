"""What stands around a request, and what goes wrong in typing it: wake words, politeness, reasons, typos, punctuation, capitals."""

import random
import re

from .expand import render

SYLLABLES = ("ba be bi bo bu ka ke ki ko ku da de di do du fa fe fi fo ga ge gi go gu la le li lo lu ma me mi mo mu na ne ni no nu pa pe pi po "
             "ra re ri ro ru sa se si so su ta te ti to tu va ve vi vo za ze zo zi sha she cho thi tra bre clo dri fle gra plo ster lin ton mer zen dor vik").split()
NAMES = ["jarvis", "alexa", "google", "siri", "home", "computer", "house", "assistant", "tealight", "friday", "buddy", "robot butler", "smart home",
         "mate", "dear", "darling", "honey", "max", "bob", "anna", "nora", "system", "there", "butler", "love", "man", "you", "bot", "cortana",
         "hal", "jeeves"]

PREFIXES = ["also", "and", "and now", "and also", "then", "next,", "please", "please", "please", "can you", "can you", "can you please", "could you",
            "could you", "could you please", "would you", "would you please", "will you", "will you please", "i need you to", "i'd like you to",
            "i would like you to", "i want you to", "go ahead and", "quickly", "just", "kindly", "could you kindly", "help me", "do me a favour and",
            "do me a favor and", "be so kind as to", "would you be so kind as to", "would you be kind enough to", "would it be possible to",
            "is it possible to", "can we", "could we", "let's", "lets", "i was wondering if you could", "i wonder if you could",
            "it would be great if you could", "it'd be nice if you could", "would you be able to", "are you able to", "any chance you could",
            "any chance you can", "do you think you could", "you can", "you could", "you should", "why don't you", "time to", "i want to",
            "i'd like to", "i would like to", "i'd love to", "i need to", "we need to", "we should", "we want to", "please could you",
            "please can you", "pls", "plz", "be a dear and", "be a pal and", "if you could", "if you would", "if you don't mind", "if possible",
            "now", "ok now", "ok", "okay", "so", "well", "right", "alright", "go and", "go", "try to", "i think you should",
            "i'd appreciate it if you could", "make sure you", "make sure to", "you need to", "you may", "you can go ahead and", "you might want to",
            "can i get you to", "may i ask you to", "might you", "shall we", "can you quickly", "could you quickly", "can you just",
            "could you just", "could you maybe", "maybe", "perhaps you could", "hurry up and", "i'm asking you to", "your job is to", "can somebody",
            "can someone", "someone please", "somebody", "remember to", "don't forget to", "i told you to", "for god's sake", "for heaven's sake",
            "for the love of god", "would you mind if i asked you to", "it's time to", "i'm gonna need you to", "gonna need you to", "wanna",
            "gotta", "let me", "i'd be grateful if you could", "i would be grateful if you would", "be nice and", "quick,"]
GERUNDS = ["would you mind", "would you mind", "do you mind", "mind", "how about", "what about", "how about we try", "i'd appreciate you",
           "thanks for", "would you consider", "can you see about", "start by", "think about", "what do you think about"]
WANTS = ["i want", "i want", "i'd like", "i'd like", "i would like", "can i have", "could i have", "can we have", "could we have", "may i have",
         "let's have", "i need", "we need", "get me", "give me", "can i get", "could i get", "can we get", "could we get", "i'd love",
         "i would love", "please get", "we want", "we'd like", "i'd prefer", "i want to have", "i'd like to have", "make it", "i could use",
         "could you get me", "can you give me", "would prefer", "can you make it", "i'd rather have", "get", "have", "let me have", "how about",
         "i really want", "i'm after", "let us have", "i fancy"]
SUFFIXES = ["please", "please", "please", "please", "please", "thanks", "thanks", "thank you", "now", "now", "now please", "right now", "for me",
            "for me please", "will you", "would you", "could you", "can you", "asap", "quickly", "if you can", "if you could", "if possible",
            "if you don't mind", "when you get a chance", "when you have a moment", "when you can", "mate", "ok", "okay", "immediately", "ta",
            "cheers", "at once", "for a bit", "for a while", "would you please", "will ya", "pls", "plz", "thx", "darling", "buddy", "my friend",
            "man", "dude", "already", "then", "again", "straight away", "as soon as possible", "right away", "quick", "for now", "for us", "yeah",
            "if you would", "right this second", "this instant", "pretty please", "please and thank you", "for god's sake", "for the guests",
            "for the kids", "for the baby", "for grandma", "for the night", "for dinner", "many thanks", "that would be great", "that'd be great",
            "i'd appreciate it", "much appreciated", "would be nice", "honey", "love", "thank you very much", "thank you so much", "dear", "hurry",
            "hurry up", "real quick", "there's a dear", "won't you", "ok thanks", "a moment", "at the moment", "lol"]
SAY_PREFIXES = ["hey", "ugh", "oh", "wow", "man", "honestly", "well", "so", "hmm", "god", "gosh", "damn", "jeez", "oh no", "oh god", "hi", "hello",
                "excuse me", "listen", "you know", "i think", "i feel like", "sorry but", "um", "uh", "oh dear", "blimey", "yikes", "seriously",
                "actually", "i'm sorry but", "look", "it seems", "i guess", "ok", "now", "right", "please", "argh"]
SAY_SUFFIXES = ["again", "right now", "now", "today", "tonight", "please do something", "can you do something about it", "do something",
                "could you help", "please help", "can you help", "please fix it", "can you fix that", "can you sort it out", "you know", "honestly",
                "don't you think", "this morning", "this evening", "at the moment", "please", "thanks", "do something about it please", "for me",
                "if you ask me", "i think", "what can you do about it", "already", "man", "lol", "right", "isn't it", "any ideas", "as usual",
                "could you do something about that"]
ASK_PREFIXES = ["hey", "please", "can you tell me", "ok", "so", "um", "quick question", "one question", "sorry", "excuse me", "hi", "well",
                "just checking", "quick check", "remind me", "by the way", "just wondering", "hello", "tell me", "and", "right", "now"]
ASK_SUFFIXES = ["right now", "now", "at the moment", "please", "currently", "today", "tonight", "thanks", "do you know", "i wonder", "exactly",
                "this morning", "these days", "just now", "or what", "by the way", "any idea", "can you tell me", "for me", "can you check",
                "could you check"]
# Shells of many readings, in the template language; they stand before a request.
SHELLS = ["[hey|hi|hello|ok|oh|um|so|well|right|yo|hiya] (could|can|would|will) (you|ya|u|we|someone|somebody|anyone|anybody) [please|kindly|maybe|possibly|perhaps|quickly|just|quick|also|now|be kind and|be nice and|go and|help me to]",
          "[hey|hi|hello|ok|so|please|sorry but|excuse me,] (i|we) (want|need|would like|'d like|would love|'d love|need|wish|would want|really want|really need|just want|just need|expect) (you|someone|somebody|the house|the system) to [please|quickly|just|go and|kindly]",
          "[please|hey|ok|now|so] (make sure|see|ensure|check) (you|that you|to) ",
          "(i|we) (think|believe|guess|reckon|feel|suppose) (you|we) (should|could|can|might|ought to|had better|'d better) [maybe|now|just]",
          "(would|will|could) it be (possible|ok|okay|alright|too much trouble|too much|feasible|fine) (to|for you to) [please|kindly]",
          "(is there|there's|any|is there any) (a chance|chance|way|a way|possibility) (you|we) (could|can|might) [please|maybe|quickly]",
          "(i|we) (was|were|am|are) (wondering|hoping|thinking|asking|just wondering) (if|whether|maybe) (you|we|someone) (could|can|would|might) [please|maybe|possibly]",
          "(it'd|it would|that would|that'd) be (great|nice|lovely|good|kind|wonderful|awesome|super|helpful|cool) if you (could|would|can) [please|maybe|just]",
          "(i'd|i would|we'd|we would) (appreciate it|be grateful|be happy|be glad|be delighted|love it|like it|be so happy|be thankful) if you (could|would|can) [please|just]",
          "(do|does) (you|anyone|somebody) (mind|want to|think you can|think you could|have time to)",
          "[hey|please|ok] (go ahead|be so good|be so kind|be a dear|be an angel|be a star|be a sweetheart|do me a favour|do me a favor|do us a favour|do me a solid|help me out|help us out) and [please|just|kindly]",
          "(my|the) (wife|husband|mum|mom|dad|boss|daughter|son|friend|mother|father|partner|girlfriend|boyfriend) (wants|asks|would like|needs|told me to ask) (you to|that you) ",
          "(now|next|first|ok|okay|alright|right|then|and|also|so|well|yes|no|great|good|cool|fine)(,| then,| so,|) [please|can you|could you|just|now]",
          "(quickly|quick|hurry|fast|urgent|important|attention|listen|request|order|command|task)[,|:|!] ",
          "[please] (you) (can|could|may|might|should|must|have to|need to|ought to) [now|then|also|just|really]",
          "(if|when) (you|u) (can|could|have a moment|have a second|get a chance|are free|don't mind|would be so kind|please)[,] [please|could you|can you|just]",
          "(i|we)('m| am|'re| are) (gonna|going to) (need|ask) you to [please|just|kindly]",
          "(feel free|you're welcome|you are allowed|you are free|you have permission) to ",
          "(mind|don't mind me asking but|sorry to bother you but|sorry to trouble you but|if it's not too much trouble|if it isn't too much trouble|whenever you're ready|as soon as possible|asap)[,] [please|can you|could you]",
          "(you know what|tell you what|i tell you what|here's an idea|here is what i want|listen up|one more thing|another thing|last thing|by the way|oh and|and another thing|one thing|actually|on second thought|i changed my mind)[,|:] [please|can you|could you|just]"]
TAILS = ["[, ](thanks|thank you|cheers|ta|many thanks|much appreciated|thx|tks|ty) [a lot|so much|very much|in advance|mate|love|dear|buddy|pal|again|a million|a bunch]",
         "[, ](please|pls|plz|if you please|would you|will you|could you|can you|won't you|if you would|if you could|if you can|when you can|if possible|if it's possible|if you don't mind|if that's ok|if that's alright|if it's not too much trouble) [mate|love|dear|buddy|pal|thanks|now|thank you]",
         "[, ](right |just |straight |)(now|away|asap|at once|immediately|this second|this minute|this instant|as soon as you can|as quickly as you can|as fast as you can|without delay|pronto|quickly|quick|already|on the double) [please|thanks|mate]",
         "[, ](i think|i guess|i suppose|or so|or something|or whatever|you know|ok|okay|alright|right|yeah|yes|mate|man|dude|bro|sir|ma'am|my friend|my dear|sweetie|sweetheart|honey|babe|guys|folks|everyone)",
         "for (me|us|my wife|my husband|the kids|the guests|the baby|my mum|my dad|grandma|my friend|the dog|the cat|everyone|a change|once) [please|thanks|would you|will you]"]
FILLERS = ["um", "uh", "er", "erm", "like", "you know", "well", "actually", "hmm", "i mean", "maybe", "kind of", "just", "basically", "so"]
REASONS = ["i'm cooking dinner", "the guests have arrived", "i've just come home", "i just got in", "i just got home from work",
           "my parents are coming", "the kids are playing", "the kids are finally asleep", "we're about to eat", "i'm making coffee",
           "i'm having a nap", "i'm reading a book", "i'm watching the match", "i'm on a video call", "i'm in a hurry", "i can't reach the switch",
           "my hands are dirty", "i'm in bed already", "i'm lying down", "i'm downstairs", "i'm upstairs", "it's past midnight", "it's early",
           "the weather is awful", "it's winter", "it's summer", "the electricity is expensive", "we need to save energy",
           "the movie is about to start", "the show is starting", "i'm about to leave", "nobody is home", "the babysitter is here",
           "i'm doing the dishes", "i'm feeling ill", "i've got a migraine", "it's my birthday", "we're having a party", "dinner is ready",
           "i'm changing the baby", "i'm painting the wall", "the cat is asleep on it", "the dog is barking", "someone's at the door",
           "i'm expecting guests", "i'm going to bed", "i'm off to bed", "i'm heading out", "we're leaving", "i'm leaving for work", "i'm home",
           "i'm back", "we have guests", "guests are coming", "it's getting late", "it's late", "it's morning", "it's evening", "i'm about to cook",
           "i'm cooking", "i'm trying to read", "i'm working", "i have a headache", "the baby is asleep", "the kids are asleep", "i'm tired",
           "i just woke up", "i can't sleep", "i have a meeting", "we're having dinner", "we're watching a movie", "my mum is visiting",
           "the party is starting", "i'm bored", "i don't feel well", "i need to concentrate", "it's nap time", "i'm going out",
           "i'm going shopping", "we're going on holiday", "the cat is hiding", "my hands are full", "i'm in the shower", "it's getting dark",
           "the sun is setting", "it's dinner time", "i'm on the phone", "i'm expecting a parcel", "my friends are here", "i'm doing yoga",
           "i'm studying", "my back hurts", "it's raining", "it's snowing outside", "it's windy", "it's monday", "i'm on the sofa", "we're eating",
           "good morning", "good evening", "good night", "i'm exhausted", "i forgot", "no one is home", "everyone is gone", "the film is over",
           "i'm cold", "i'm hot", "it's dark", "it's too bright", "it's hot in here", "it's cold in here", "it's stuffy", "it's loud",
           "the sun is out", "it smells", "the floor is dirty", "it's noisy", "i can't see", "i can't hear you"]
ASKING = {"can", "could", "would", "will", "may", "might", "shall", "any", "how", "what", "is", "are", "do", "mind", "why"}
NEIGHBOURS = {"a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk", "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "w", "r": "et", "s": "ad", "t": "ry",
              "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x"}
CONTRACTIONS = [("don't", "do not"), ("it's", "it is"), ("i'm", "i am"), ("what's", "what is"), ("can't", "cannot"), ("i'd", "i would"), ("there's", "there is"), ("we're", "we are"), ("isn't", "is not"), ("that's", "that is"), ("let's", "let us")]
DOUBLED = {"stop": "stopping", "shut": "shutting", "put": "putting", "get": "getting", "cut": "cutting", "set": "setting", "run": "running", "dim": "dimming", "flip": "flipping", "drop": "dropping", "hit": "hitting", "skip": "skipping", "bump": "bumping", "arm": "arming",
           "begin": "beginning", "let": "letting", "quit": "quitting", "spin": "spinning", "pop": "popping", "lie": "lying", "step": "stepping", "unplug": "unplugging", "knock": "knocking", "chop": "chopping", "plan": "planning", "see": "seeing", "up": "upping", "slow": "slowing", "throw": "throwing", "draw": "drawing",
           "undim": "undimming", "have": "having", "open": "opening", "lower": "lowering", "power": "powering", "fix": "fixing", "order": "ordering", "cancel": "cancelling", "hear": "hearing", "show": "showing", "answer": "answering", "play": "playing"}


def gerund(phrase):
    """"turn on the lamp" → "turning on the lamp"."""
    verb, _, rest = phrase.partition(" ")
    if verb in DOUBLED:
        verb = DOUBLED[verb]
    elif verb.endswith("e") and not verb.endswith("ee"):
        verb = verb[:-1] + "ing"
    else:
        verb = verb + "ing"
    return f"{verb} {rest}".strip()


def invented(rng, low=2, high=3):
    """A word that does not exist."""
    return "".join(rng.choice(SYLLABLES) for _ in range(rng.randint(low, high)))


def wake(rng, text):
    if rng.random() > 0.09:
        return text
    name = rng.choice(NAMES) if rng.random() < 0.75 else invented(rng)
    head = rng.choice(["hey", "hey", "ok", "okay", "hi", "hello", "yo", "", "", "good morning", "dear"])
    sep = rng.choice([", ", " ", ", ", ": ", "! "])
    if rng.random() < 0.12 and not head:
        return f"{text}, {name}"
    return f"{head} {name}{sep}{text}".strip()


def polite(rng, kind, text, words):
    """Wraps a phrase of a kind ("cmd", "want", "say", "ask") as people do. `words` restricts a list to its split."""
    roll = rng.random()
    if kind == "cmd":
        if roll < 0.40:
            pass
        elif roll < 0.64:
            text = f"{rng.choice(words(PREFIXES))} {text}"
        elif roll < 0.80:
            text = f"{render(rng.choice(words(SHELLS)), rng, {})} {text}"
        elif roll < 0.87:
            text = f"{rng.choice(words(GERUNDS))} {gerund(text)}"
        elif roll < 0.89:
            text = f"{rng.choice(['get', 'start', 'try', ''])} {gerund(text)}"
        suffix = 0.30
    elif kind == "want":
        if roll < 0.60:
            text = f"{rng.choice(words(WANTS))} {text}"
        elif roll < 0.66:
            text = f"please {text}"
        suffix = 0.30
    elif kind == "say":
        if roll < 0.20:
            text = rng.choice(words(SAY_PREFIXES)) + rng.choice([" ", ", ", " "]) + text
        if rng.random() < 0.16:
            text += rng.choice([" ", ", ", ". ", " "]) + rng.choice(words(SAY_SUFFIXES))
        suffix = 0
    else:
        if roll < 0.16:
            text = rng.choice(words(ASK_PREFIXES)) + rng.choice([" ", ", ", " "]) + text
        if rng.random() < 0.16:
            text += rng.choice([" ", ", ", " "]) + rng.choice(words(ASK_SUFFIXES))
        suffix = 0
    if rng.random() < suffix * 0.4:
        tail = render(rng.choice(words(TAILS)), rng, {})
        text += tail if tail.startswith(",") else " " + tail
    elif rng.random() < suffix:
        text += rng.choice([" ", ", ", " ", " "]) + rng.choice(words(SUFFIXES))
        if rng.random() < 0.12:
            text += " " + rng.choice(["please", "thanks", "now", "please"])
    return text


def reason(rng, text, words):
    """Sometimes says why, before or after."""
    if rng.random() > 0.05:
        return text
    why = rng.choice(words(REASONS))
    if rng.random() < 0.55:
        return why + rng.choice([", ", " so ", ", so ", " and ", ". ", ", can you ", " - ", ", please "]) + text
    return text + rng.choice([", ", " because ", " since ", ". ", ", ", " cause "]) + why


def typo(rng, text):
    """One slip of the finger in a word of four letters or more."""
    words = text.split(" ")
    long = [i for i, word in enumerate(words) if len(word) >= 4 and word.isalpha()]
    if not long:
        return text
    at = rng.choice(long)
    word = words[at]
    i = rng.randrange(1, len(word) - 1) if len(word) > 4 or rng.random() < 0.8 else rng.randrange(len(word))
    roll = rng.random()
    if roll < 0.3:
        word = word[:i] + word[i + 1:]
    elif roll < 0.55 and i + 1 < len(word):
        word = word[:i] + word[i + 1] + word[i] + word[i + 2:]
    elif roll < 0.75:
        word = word[:i] + word[i] + word[i:]
    else:
        word = word[:i] + rng.choice(NEIGHBOURS.get(word[i], "e")) + word[i + 1:]
    words[at] = word
    return " ".join(words)


SLIPS = [("lights", "lites"), ("light", "lite"), ("lights", "ligths"), ("kitchen", "kichen"), ("kitchen", "kitchn"), ("bedroom", "bedrom"), ("bathroom", "bathrom"), ("living room", "livingroom"), ("living room", "livin room"), ("hallway", "halway"), ("office", "ofice"), ("garage", "garrage"), ("garden", "gardn"),
         ("heating", "heatin"), ("heating", "heeting"), ("temperature", "temprature"), ("temperature", "tempature"), ("temperature", "temperatur"), ("humidity", "humidty"), ("thermostat", "thermostate"), ("radiator", "radiater"), ("curtains", "curtins"), ("curtains", "curtians"), ("blinds", "blids"), ("blinds", "blinnds"),
         ("vacuum", "vacume"), ("vacuum", "vaccum"), ("vacuum", "vaccuum"), ("vacuum", "vacum"), ("music", "musik"), ("music", "muisc"), ("volume", "volum"), ("alarm", "alram"), ("alarm", "allarm"), ("security", "securty"), ("socket", "soket"), ("speaker", "speeker"), ("percent", "precent"), ("percent", "percant"), ("degrees", "degress"), ("degrees", "degres"),
         ("you", "u"), ("are", "r"), ("please", "plz"), ("please", "pls"), ("please", "pleas"), ("please", "plese"), ("the", "teh"), ("the", "th"), ("the", "da"), ("turn", "trun"), ("turn", "turm"), ("turn", "tunr"), ("switch", "swich"), ("switch", "swtich"), ("too", "to"), ("it's", "its"), ("going to", "gonna"), ("want to", "wanna"), ("your", "ur"), ("because", "cuz"), ("and", "n"),
         ("thanks", "thx"), ("something", "smth"), ("right now", "rn"), ("could", "cud"), ("would", "wud"), ("close", "clsoe"), ("close", "clos"), ("open", "opne"), ("lower", "lowr"), ("brighter", "briter"), ("bright", "brite"), ("quieter", "quiter"), ("louder", "lowder"), ("warmer", "wamer"), ("unlock", "unlok"), ("lock", "lok"), ("off", "of"), ("off", "0ff"), ("what's", "wats"), ("what", "wat"), ("is", "iz"), ("the ", "")]


def slip(rng, text):
    """A spelling that many people write."""
    known = [(right, wrong) for right, wrong in SLIPS if right in text]
    if not known:
        return text
    right, wrong = rng.choice(known)
    return re.sub(rf"\b{re.escape(right)}(?!\w)" if right.strip() == right else re.escape(right), wrong, text, count=1)


def unspaced(rng, text):
    """Two words run together."""
    at = [i for i, char in enumerate(text) if char == " "]
    if not at:
        return text
    i = rng.choice(at)
    return text[:i] + text[i + 1:]


def type_out(rng, text, question=False):
    """The sentence as typed: mostly lower case (the chat template lowers it), punctuation as it comes, a few slips."""
    if rng.random() < 0.05:
        words = text.split(" ")
        words.insert(rng.randrange(len(words) + 1), rng.choice(FILLERS) + rng.choice(["", ",", "..."]))
        text = " ".join(words)
    if rng.random() < 0.10:
        for short, full in CONTRACTIONS:
            if short in text:
                text = text.replace(short, full, 1)
                break
    if rng.random() < 0.12:
        text = text.replace(" is ", "'s ", 1)
    if rng.random() < 0.28:
        text = text.replace("'", "")
    roll = rng.random()
    if roll < 0.09:
        text = typo(rng, text)
        if roll < 0.025:
            text = typo(rng, text)
    elif roll < 0.135:
        text = slip(rng, text)
    elif roll < 0.145:
        text = unspaced(rng, text)
    elif roll < 0.165:
        words = text.split(" ")  # a stutter
        at = rng.randrange(len(words))
        text = " ".join(words[:at + 1] + [rng.choice(["", "uh", "um,", "er"])] + words[at:])
    if rng.random() < 0.15:
        text = text.replace(",", "")
    roll = rng.random()
    if question:
        text += "?" if roll < 0.5 else "." if roll < 0.54 else "??" if roll < 0.56 else ""
    else:
        asks = 0.45 if text.split(" ")[0] in ASKING else 0.005
        text += "?" if roll < asks else "." if roll < asks + 0.22 else "!" if roll < asks + 0.28 else "..." if roll < asks + 0.30 else ""
    if rng.random() < 0.015:
        text += rng.choice([" 🙏", " 😊", " :)", " 😅", " 🥶", " 👍", " ;)", " ❤️", " xx"])
    if rng.random() < 0.02:
        text = text.replace(" ", "  ", rng.randint(1, 3))
    roll = rng.random()
    if roll < 0.02:
        text = text[:1].upper() + text[1:]
    elif roll < 0.03:
        text = text.upper()
    return text
