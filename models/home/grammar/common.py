"""Frames that several devices share: switching, stepping and setting are said in the same ways whatever the device.

`extend` adds them to a device's own frames. Kinds and slots as in lights.py; {odd} is any verb, known or invented: what follows
it ("… off") says what is meant.
"""

ODD_VERBS = """pop|whack|bang|stick|chuck|sling|fling|bring|lob|jam|slap|tap|toggle|push|knock|hit|click|flip|flick|tick|get|have|throw|press|snap|nudge|wang
shove|pull|stuff|twist|roll|move|slam|punch|smack|make|send|spin|zap|boop|yank|tip|turm|swich|dial|crack|bump|hook|beam|buzz|ping""".replace("\n", "|").split("|")

ON = {
    "cmd": ["{odd} {np} on", "{odd} on {np}", "get {np} switched on", "see that {np} {are} on",
            "see to it that {np} {are} (on|switched on|turned on)", "ensure {np} {are} (on|turned on|switched on)",
            "check that {np} {are} on and if not turn {it} on", "make {np} go on", "bring {np} to life", "wake up {np}", "wake {np} up",
            "get {np} to turn on", "set {np} on", "put {np} into the on position", "switch {np} to on", "toggle {np} on", "turn {np} on again",
            "switch on {np} again", "put {np} back on", "have {np} on", "turn on (just|only) {np}",
            "turn {np} on (immediately|quickly|straight away|right away|asap)", "do {np} on", "turn {np} to the on setting",
            "hit the switch on {np}", "use the switch to turn on {np}", "let {np} be on"],
    "want": ["{np} back on", "{np} on again", "{np} switched back on", "{np} to go on", "{np} to come on", "{np} to be turned on",
             "you to (turn|switch|put) {np} on", "you to (turn|switch) on {np}", "someone to (turn|switch) on {np}"],
    "say": ["on, {np}", "on {np}", "{np}, on", "{np}. on", "{np}, turn {it} on", "{np} - turn {it} on", "{np}, switch {it} on (please|)",
            "{np} {are} off, (turn|switch|put) {it} on", "{np} {are} off and (i|we) need {it} on", "why {are} {np} off, (turn|switch) {it} on",
            "{np} ought to be on", "{np} must be on", "(i|we) want {np} on", "it's time {np} went on", "time to (turn|switch|put) {np} on",
            "time to (turn|switch) on {np}", "{np} wants turning on", "{np} wants switching on", "(i|we) forgot to (turn|switch) on {np}",
            "(i|we) forgot to (turn|switch|put) {np} on", "somebody turned {np} off, (turn|switch) {it} back on",
            "(i'm|we're) going to need {np} on", "{np} should be (switched|turned) on", "{np} on now", "{np} on (please|thanks|thx|pls)",
            "let's (turn|switch|put) {np} on", "let's have {np} on", "let's get {np} on", "how about {np} on", "{np}? on please"],
}
OFF = {
    "cmd": ["{odd} {np} off", "{odd} off {np}", "get {np} switched off", "see that {np} {are} off",
            "see to it that {np} {are} (off|switched off|turned off)", "ensure {np} {are} (off|turned off|switched off)",
            "check that {np} {are} off and if not turn {it} off", "make {np} go off", "get {np} to turn off", "set {np} off",
            "put {np} into the off position", "switch {np} to off", "toggle {np} off", "turn {np} off again", "switch off {np} again",
            "put {np} back off", "have {np} off", "turn off (just|only) {np}", "turn {np} off (immediately|quickly|straight away|right away|asap)",
            "do {np} off", "turn {np} to the off setting", "hit the off switch on {np}", "switch {np} right off", "turn {np} completely off",
            "turn {np} fully off", "save some energy and turn {np} off", "save power and switch off {np}", "let {np} be off"],
    "want": ["{np} off again", "{np} switched back off", "{np} to go off", "{np} to be turned off", "you to (turn|switch|shut) {np} off",
             "you to (turn|switch|shut) off {np}", "someone to (turn|switch) off {np}"],
    "say": ["off, {np}", "off {np}", "{np}, off", "{np}. off", "{np}, turn {it} off", "{np} - turn {it} off", "{np}, switch {it} off (please|)",
            "{np} {are} on and (shouldn't be|doesn't need to be|don't need to be)", "{np} ought to be off", "{np} must be off",
            "(i|we) want {np} off", "it's time {np} went off", "time to (turn|switch) {np} off", "time to (turn|switch) off {np}",
            "{np} wants turning off", "{np} wants switching off", "(i|we) have no use for {np} (now|anymore|right now|)",
            "(i|we) won't be needing {np} (now|anymore|tonight|any longer|)", "(i|we) no longer need {np}", "there's no need for {np} to be on",
            "{np} {aren't} needed (now|anymore|any more|right now|)", "{np} {are} not needed (now|anymore|any more|right now|)",
            "nobody needs {np} (now|anymore|)", "nobody is using {np}", "no one is using {np} (so turn {it} off|)", "(i'm|we're) finished with {np}",
            "(i'm|we're) done with {np}", "{np} {are} still on", "{np} {are} running for nothing", "{np} {are} on for nothing",
            "(oops|oh no|damn|ah) i left {np} on", "{np} should be (switched|turned) off", "{np} off now", "{np} off (please|thanks|thx|pls)",
            "let's (turn|switch) {np} off", "let's have {np} off", "let's get {np} off", "how about {np} off", "{np}? off please",
            "{np} (was|were) left on", "{np} (has|have) been left on", "{np} (has|have) been on (all day|for hours|long enough|too long)",
            "that's enough of {np}", "enough of {np}", "(i've|we've) had enough of {np}"],
}
RAISE = {
    "cmd": ["{odd} {np} up (a bit|a little|a notch|slightly|some|a touch)", "{odd} up {np} (a bit|a little|a notch)",
            "take {np} up (a bit|a little|a notch|a level|a touch|some)", "nudge {np} up", "nudge up {np}", "give {np} a (boost|bump|little boost)",
            "kick {np} up a notch", "turn {np} (a bit|a little|slightly|a touch|a notch) up", "turn {np} (a bit|a little|slightly) higher",
            "set {np} (a bit|a little|slightly|) higher", "put {np} (a bit|a little|slightly|) higher",
            "make {np} (a bit |a little |slightly |)higher", "increase {np} (a bit|a little|slightly|a touch|some more|further)",
            "raise {np} (a bit|a little|slightly|a touch|some more|further)", "lift {np} (a bit|a little|a notch)",
            "turn {np} up (one|two|a couple of|a few) (notches|steps|levels)", "step {np} up (a bit|)", "go up (a bit|a notch|a little) with {np}",
            "have {np} (a bit|a little|slightly) higher", "turn up {np} (a bit|a little|a notch|some|slightly|a touch)", "push up {np} (a bit|)"],
    "want": ["{np} (a bit|a little|slightly|somewhat) (up|higher)", "{np} (one|two) notches up", "{np} up (some|slightly|a little more|a level)",
             "{np} to (go|be) (a bit |a little |)(up|higher)", "you to turn {np} up", "you to turn up {np}"],
    "say": ["up a bit with {np}", "{np} up (a bit|a little|a notch|please|slightly|a tad|a touch|more)", "{np} a (bit|notch|little) (up|higher)",
            "{np} {are} too low", "{np} {are} (a bit|a little|rather|way) too low", "{np} {are} set too low", "{np} could go up (a bit|a notch|)",
            "{np} should (go|be) (up|higher)", "{np}, turn {it} up", "{np}, up", "{np} higher", "(turn|bump|nudge|crank) {np} up, would you",
            "{np} need{s} turning up", "{np} wants turning up"],
}
LOWER = {
    "cmd": ["{odd} {np} down (a bit|a little|a notch|slightly|some|a touch)", "{odd} down {np} (a bit|a little|a notch)",
            "take {np} down (a bit|a little|a notch|a level|a touch|some)", "nudge {np} down", "nudge down {np}",
            "turn {np} (a bit|a little|slightly|a touch|a notch) down", "turn {np} (a bit|a little|slightly) lower",
            "set {np} (a bit|a little|slightly|) lower", "put {np} (a bit|a little|slightly|) lower", "make {np} (a bit |a little |slightly |)lower",
            "decrease {np} (a bit|a little|slightly|a touch|some more|further)", "reduce {np} (a bit|a little|slightly|a touch|some more|further)",
            "lower {np} (a bit|a little|slightly|a touch|some more|further)", "turn {np} down (one|two|a couple of|a few) (notches|steps|levels)",
            "step {np} down (a bit|)", "step down {np}", "go down (a bit|a notch|a little) with {np}", "have {np} (a bit|a little|slightly) lower",
            "ease {np} down", "ease {np} off (a bit|)", "scale {np} back", "scale back {np}",
            "turn down {np} (a bit|a little|a notch|some|slightly|a touch)", "go easy on {np}", "go easier on {np}"],
    "want": ["{np} (a bit|a little|slightly|somewhat) (down|lower)", "{np} (one|two) notches down",
             "{np} down (some|slightly|a little more|a level)", "{np} to (go|be) (a bit |a little |)(down|lower)", "you to turn {np} down",
             "you to turn down {np}"],
    "say": ["down a bit with {np}", "{np} down (a bit|a little|a notch|please|slightly|a tad|a touch|more)",
            "{np} a (bit|notch|little) (down|lower)", "{np} {are} too (high|much)", "{np} {are} (a bit|a little|rather|way) too (high|much)",
            "{np} {are} set too high", "{np} could go down (a bit|a notch|)", "{np} should (go|be) (down|lower)", "{np}, turn {it} down",
            "{np}, down", "{np} lower", "(turn|take|nudge|dial) {np} down, would you", "{np} need{s} turning down", "{np} wants turning down"],
}
SET = {
    "cmd": ["{odd} {np} to {v}", "{odd} {np} (up|down) to {v}", "let {np} be at {v}", "fix {np} at {v}", "have {np} set to {v}",
            "get {np} set to {v}", "see that {np} {are} (at|set to) {v}", "make sure {np} {are} (at|on|set to) {v}", "ensure {np} {are} at {v}",
            "switch {np} over to {v}", "put {np} up to {v}", "put {np} down to {v}", "take {np} all the way to {v}", "go to {v} with {np}",
            "go (up|down) to {v} with {np}", "set {np} so (it's|that it's|it is) at {v}", "turn {np} so that it's at {v}", "nudge {np} to {v}",
            "configure {np} to {v}", "tune {np} to {v}", "hold {np} at {v}", "leave {np} on {v}", "leave {np} at {v}", "change {np} from {n} to {v}",
            "move {np} from {n} to {v}", "set the level of {np} to {v}", "set {np} level to {v}", "make it {v} for {np}", "set to {v} {np}"],
    "want": ["{np} to be at {v}", "{np} to go to {v}", "{np} moved to {v}", "{np} changed to {v}", "{np} (up|down) to {v}", "you to set {np} to {v}",
             "{np} exactly at {v}", "{np} turned to {v}"],
    "say": ["{np}, {v}", "{np} - {v}", "{np} at {v} please", "{np} to {v} please", "{np}, set {it} to {v}", "{np} set to {v}", "{v} for {np}",
            "{v} on {np}", "{np} should be {v}", "{np} should be set to {v}", "{np} must be at {v}", "{np} need{s} to be at {v}",
            "let's (say|do|go for|try|make it) {v} for {np}", "let's (have|set|put) {np} (at|to) {v}", "{v} will do for {np}",
            "{v} is (enough|fine|good|plenty|perfect|ok) for {np}", "(i|we) want {np} at {v}", "{np} = {v} please", "time to set {np} to {v}"],
}

SHARED = {
    "light": {"on": ON, "off": OFF, "raise": RAISE, "lower": LOWER, "set": SET},
    "heating": {"on": ON, "off": OFF, "raise": RAISE, "lower": LOWER, "set": SET},
    "fan": {"on": ON, "off": OFF, "raise": RAISE, "lower": LOWER, "set": SET},
    "blind": {"set": SET},
    "plug": {"on": ON, "off": OFF},
    "alarm": {"on": ON, "off": OFF},
    "media": {"play": ON, "stop": OFF, "raise": RAISE, "lower": LOWER, "set": SET},
    "vacuum": {"start": ON, "stop": OFF},
}
# What a device's word order makes mean something else: "set the alarm off" sounds it.
EXCEPT = {("alarm", "off"): {"set {np} off", "make {np} go off", "{np} to go off", "let {np} be off"},
          ("light", "off"): {"make {np} go off"}, ("media", "play"): {"let {np} be on"},
          ("vacuum", "stop"): {"{odd} {np} off", "{odd} off {np}"}, ("blind", "set"): {"{odd} {np} to {v}"}}


def extend(device, action, groups):
    """A device's own frames of an action, by kind, and the shared ones; none twice."""
    shared = SHARED.get(device, {}).get(action, {})
    barred = EXCEPT.get((device, action), set())
    out = {}
    for kind in {**groups, **shared}:
        own = groups.get(kind, [])
        out[kind] = own + [frame for frame in shared.get(kind, []) if frame not in own and frame not in barred]
    return out
