"""Requests that sound like ours and are not: other devices, actions a device has not, values out of range, other rooms,
other times, questions about state, negations, several commands at once. All are refused."""

from . import commands, lights, noise, nouns, numbers, rooms, words
from .expand import render, slots

# Things of a house, a street or an office that we do not control.
THINGS = """oven|stove|hob|microwave|dishwasher|fridge|refrigerator|freezer|kettle|toaster|blender|mixer|coffee machine|coffee maker|espresso machine
rice cooker|slow cooker|air fryer|deep fryer|washing machine|washer|dryer|tumble dryer|iron|ironing board|sewing machine|hair dryer|hairdryer|shaver
toothbrush|electric toothbrush|shower|bathtub|bath tub|tap|faucet|sink|hot tub|jacuzzi|sauna|pool|pool pump|water pump|sprinkler|sprinklers
irrigation|lawn mower|lawnmower|mower|hedge trimmer|leaf blower|hose|grill|barbecue|bbq|smoker|fire pit|fireplace|chimney|candle|candles|wood stove
log burner|fountain|pond pump|air conditioning|air conditioner|ac|a/c|aircon|air con|ac unit|air purifier|humidifier|dehumidifier|air freshener
diffuser|water heater|hot water|immersion heater|electric blanket|heated blanket|towel rail|towel warmer|heat pump|computer|pc|laptop|tablet|ipad
phone|mobile|smartphone|iphone|printer|scanner|monitor|screen|router|wifi|wi-fi|modem|internet|bluetooth|server|keyboard|mouse|projector|camera
webcam|security camera|cctv|doorbell|intercom|baby monitor|car|car engine|engine|truck|bike|motorbike|scooter|electric car|ev charger|car charger
tesla|boat|drone|plane|train|bus|elevator|lift|escalator|tractor|crane|window|windows|skylight|gutter|roof|wall|ceiling|floorboards|fence|mailbox
letterbox|cupboard|drawer|wardrobe|cabinet|safe|suitcase|box|jar|bottle|can|book|envelope|tent|umbrella|parachute|bag|fridge door|oven door|car door
piano|guitar|drums|violin|trumpet|game console|playstation|xbox|nintendo|pinball machine|karaoke machine|chess board|treadmill|exercise bike
rowing machine|massage chair|recliner|bed|sofa|couch|chair|table|desk|crib|cradle|calculator|clock|watch|stopwatch|timer|metronome|alarm clock
calendar|scale|scales|thermos|flashlight app|torch app|compass|gps|satnav|map|meter|smart meter|solar panels|battery|generator|inverter|fuse box
circuit breaker|smoke detector|smoke alarm|fire alarm|carbon monoxide detector|co detector|fire extinguisher|motion sensor|water leak sensor
leak detector|car alarm|fire sprinkler|siren|panic button|garage opener|gate motor|toilet seat|bidet|hand dryer|soap dispenser|fish tank|aquarium
aquarium pump|terrarium|pet feeder|cat feeder|dog door|cat flap|litter box|bird feeder|beehive|incubator|hatch|trapdoor|vending machine|water cooler
ice maker|ice machine|wine cooler|juicer|robot arm|robot dog|pool robot|mop|mopping robot|robot mop|robot lawn mower|broom|dustpan|dustbin|trash can
garbage disposal|bin|compost bin|carpet cleaner|pressure washer|steam cleaner|window cleaner|shredder|laminator|copier|fax machine|whiteboard
traffic lights|headlights|brake lights|street lights|streetlight|stage lights|indicator|torch|sun lamp|lava lamp factory|lighthouse
stove light switch|hazard lights|fridge light|oven light|sunroof|moon|sun|stars|sky|rain|snow|wind|weather|world|sea|waffle maker|sandwich maker
bread maker|popcorn machine|ice cream machine|cotton candy machine|food processor|pressure cooker|instant pot|bottle warmer|wine fridge|water filter
water softener|boiling water tap|range hood lamp post|cooker|cooktop|induction hob|warming drawer|vr headset|smartwatch|fitness tracker|e-reader
kindle|dvd drive|hard drive|usb stick|graphics card|app|website|browser|database|spreadsheet|firewall|vpn|email|account|power plant|turbine
conveyor belt|forklift|lathe|drill|saw|welder|3d printer|telescope|microscope""".replace("\n", "|").split("|")
OBJECT_FRAMES = ["(set|turn) the temperature (of|in) {obj} to {n}", "(raise|lower|increase|reduce) the temperature (of|in|on) {obj}",
                 "(turn|put) (up|down) the (volume|brightness) (of|on) {obj}",
                 "(raise|lower|increase|reduce|set) the (volume|brightness|speed) of {obj} {in}",
                 "what's the (volume|brightness|speed|level) of {obj}", "(turn|switch|put|power) on {obj} {in}",
                 "(turn|switch|put|power) {obj} on {in}", "(turn|switch|shut|power) off {obj} {in}", "(turn|switch|shut) {obj} off {in}",
                 "start {obj} {in}", "stop {obj} {in}", "open {obj} {in}", "close {obj} {in}", "shut {obj} {in}", "lock {obj} {in}",
                 "unlock {obj} {in}", "turn {obj} (up|down) {in}", "turn (up|down) {obj} {in}", "set {obj} to {n} {in}",
                 "set {obj} to {n} (percent|degrees) {in}", "dim {obj} {in}", "lower {obj} {in}", "raise {obj} {in}",
                 "make {obj} (brighter|warmer|louder|cooler|quieter|faster) {in}", "pause {obj} {in}", "resume {obj} {in}", "run {obj} {in}",
                 "charge {obj}", "clean {obj}", "activate {obj} {in}", "disable {obj} {in}",
                 "is {obj} (on|off|locked|running|open|closed|ready|done)", "i (want|need) {obj} (on|off)", "{obj} (on|off) {in}", "{obj} (up|down)",
                 "{obj} {n} (percent|degrees|)", "preheat {obj} to {n}", "what's the (temperature|humidity|status) of {obj}",
                 "how (hot|warm|cold) is {obj}", "did i (turn off|lock|switch off|leave on) {obj}", "fix {obj} {in}", "buy (a new |){obj0}",
                 "move {obj} (to|from) {theroom}", "where is {obj}", "i forgot to (turn off|lock|close|switch off) {obj}",
                 "{obj} is (broken|too loud|too hot|too cold|dirty|too slow|empty|full)", "put {obj} in {theroom}", "plug in {obj}", "unplug {obj}",
                 "check {obj}", "empty {obj}", "arm {obj}", "{where} {obj} (on|off)", "(turn|switch) (on|off) {where} {obj}",
                 "set {where} {obj} to {n}", "mute {obj}", "dock {obj}", "vacuum {obj}", "{obj}", "the {where} {obj}", "fill {obj}", "restart {obj}",
                 "reboot {obj}", "connect {obj}", "kill {obj}", "crank up {obj}"]

# Actions that a device has not. {np} is the device with or without a room.
WRONG = {
    "light": ["set {np} to {over}", "set {np} to {over} (percent|%)", "{np} (at|to) {over} (percent|%|)", "{np} {over}%",
              "(dim|brighten|turn up) {np} to {over}", "brightness (to |at |){over} {in}",
              "(are|is) {np} (on|off|still on|dimmed|working|on or off)", "is there (a|any) {lamp} on {in}",
              "did i (leave|forget to turn off|turn off|switch off) {np}", "which {lamps} are on {in}", "how bright (are|is) {np}",
              "what's the brightness of {np}", "what (level|brightness) (are|is) {np} (at|set to)", "make {np} {colour}", "turn {np} {colour}",
              "set {np} to {colour}", "change {np} to {colour}", "change the colour of {np}", "change {np} color to {colour}",
              "{colour} {lamps} {in}", "{np} {colour}", "i want {colour} {lamps} {in}", "make it {colour} {in}", "flash {np}", "blink {np}",
              "strobe {np}", "make {np} (blink|flash|flicker|strobe|pulse|dance|change colour|party)", "lock {np}", "unlock {np}", "open {np}",
              "close {np}", "play {np}", "dock {np}", "arm {np}", "disarm {np}", "set {np} to {deg} degrees", "replace {np}", "fix {np}",
              "buy (a new|some new) {lamp}", "change the bulb {in}", "clean {np}", "where (are|is) {np}", "how many {lamps} are (on|there) {in}",
              "who turned {np} (on|off)", "why (are|is) {np} (flickering|broken|buzzing|red)",
              "{np} (are|is) (broken|flickering|buzzing|not working|dead)", "how much power do {np} use", "rename {np}", "add a new {lamp} {in}",
              "pair {np}", "romantic mood {in}", "set a romantic scene {in}", "party mode {in}", "movie mode", "night mode", "set the mood {in}",
              "disco lights {in}", "warm white {in}", "cold white please", "set the color temperature to {deg}00 kelvin", "mute {np}", "skip {np}",
              "vacuum {np}", "stop dimming forever", "what colour (are|is) {np}", "lights camera action", "move {np} to the left",
              "hang up a {lamp} {in}", "is it (dark|bright|light) {in}", "how dark is it {in}", "paint {np} {colour}", "unscrew the bulb",
              "list {np}"],
    "heating": ["is {np} (on|off|working|running|still on|on or off)", "is the heating on {in}", "what's {np} set to", "what is {np} set to {in}",
                "how high is {np}", "did i (leave|turn off|forget to turn off) {np}", "lock {np}", "open {np}", "close {np}", "bleed {np}",
                "fix {np}", "repair {np}", "service {np}", "clean {np}", "paint {np}", "how much (is|does) {np} (cost|costing|use)",
                "why is {np} (off|cold|so loud|not working|on)", "{np} (is|are) (broken|leaking|noisy|not working|making noise|rattling)",
                "set {np} to {hot}", "set {np} to {hot} degrees", "set the temperature to {hot} {in}", "make it {hot} degrees {in}",
                "heat {theroom} to {hot} degrees", "turn {np} up to {hot}", "set the temperature to {hot} degrees {in}", "{np} {hot}",
                "{np} at {hot} degrees", "set {np} to minus {deg}", "set the temperature to minus {small} degrees {in}",
                "set the temperature to -{small} {in}", "make it minus {small} {in}", "set {np} to {deg} percent", "set {np} to {pct}%",
                "{np} {pct}%", "set {np} to {f} fahrenheit", "set the thermostat to {f} degrees fahrenheit", "make it {f} fahrenheit {in}",
                "dim {np}", "play {np}", "mute {np}", "dock {np}", "set {np} to zero", "set {np} to 0 degrees", "set {np} to {colour}",
                "what's the heating bill", "book a heating engineer", "install a new {radiator}", "hang my towel on {np}", "eco mode for {np}",
                "put {np} on a schedule", "set {np} to {tiny}", "cool {theroom} to {tiny} degrees", "stop the thermostat app", "buy a {radiator}",
                "is the radiator hot", "where is {np}"],
    "blind": ["(are|is) {np} (open|closed|up|down|shut|still open)", "did i (close|open|shut) {np}", "how far (are|is) {np} open", "wash {np}",
              "clean {np}", "replace {np}", "buy new {curtains} {in}", "lock {np}", "unlock {np}", "tilt {np}", "tilt {np} (45 degrees|a bit)",
              "angle the slats {in}", "turn {np} {colour}", "make {np} {colour}", "play {np}", "dim {np}", "mute {np}", "dock {np}", "iron {np}",
              "hang {np}", "measure {np}", "{np} (are|is) (broken|stuck|dirty|ugly|torn)", "fix {np}", "why (are|is) {np} (stuck|broken)",
              "set {np} to {over}%", "set {np} to {over} percent", "{np} (at|to) {over} (percent|%|)", "(close|lower|raise) {np} to {over} percent",
              "open {np} to {over} percent", "what colour (are|is) {np}", "order new {curtains}", "set {np} to {deg} degrees", "install {np}",
              "take {np} off the rail", "open the curtain call", "how much do {np} cost", "swap {np}", "arm {np}"],
    "fan": ["is {np} (on|off|running|still on|working)", "how fast is {np}", "what speed is {np} (on|at)", "did i (leave|turn off) {np}",
            "set {np} to {fanbad}", "set {np} to speed {fanbad}", "{np} on {fanbad}", "put {np} on level {fanbad}", "turn {np} to {fanbad}",
            "fan speed {fanbad} {in}", "set {np} to {pct}%", "set {np} to {pct} percent", "{np} {pct}%", "turn {np} to {pct} percent", "lock {np}",
            "open {np}", "close {np}", "rotate {np}", "swing {np}", "oscillate {np}", "make {np} oscillate", "reverse {np}",
            "make {np} (turn|swing|rotate) (left|right|the other way)", "clean {np}", "fix {np}", "buy (a|a new) fan {in}", "play {np}", "dim {np}",
            "point {np} at me", "aim {np} at the bed", "{np} (is|are) (broken|squeaking|rattling|dusty)", "set {np} to {deg} degrees", "arm {np}",
            "mute {np}", "what does {np} cost", "install {np}", "set {np} to {over}", "where is {np}", "set {np} to zero"],
    "plug": ["is {np} (on|off|live|working|still on|safe|hot)", "set {np} to {pct}", "set {np} to {pct}%", "turn {np} (up|down)", "dim {np}",
             "raise {np}", "lower {np}", "open {np}", "close {np}", "lock {np}", "how much power is {np} using", "what's plugged into {np}",
             "what is {np} drawing", "plug something into {np}", "plug the {thing} into {np}", "unplug the {thing} from {np}",
             "unplug everything {in}", "plug in the {thing} {in}", "plug my phone in {in}", "fix {np}", "replace {np}",
             "install (a|another) {socket} {in}", "play {np}", "dock {np}", "rename {np}", "{np} (is|are) (broken|sparking|loose|burnt)",
             "did i (leave|turn off) {np}", "are the plugs on {in}", "how many {socket}s are there {in}", "set {np} to {deg} degrees",
             "buy (a|an|another) {socket}", "is there a {socket} {in}", "arm {np}", "pull the plug on the project", "plug the leak {in}",
             "where is {np}", "what's the voltage of {np}"],
    "lock": ["open {np}", "open {np}", "close {np}", "close {np}", "shut {np}", "slam {np}", "is {np} (open|closed|shut|ajar|broken)", "{np} open",
             "knock on {np}", "who is at {np}", "who's at {np}", "is anyone at {np}", "is someone at {np}", "answer {np}", "open {np} a bit",
             "leave {np} open", "hold {np} open", "paint {np}", "fix {np}", "replace {np}", "change the locks", "buy a new lock", "turn on {np}",
             "turn {np} up", "set {np} to {pct}", "dim {np}", "play {np}", "oil the hinges of {np}", "show me {np}", "show me who is at {np}",
             "ring the bell at {np}", "what's the code for {np}", "what's the {np} code", "change the code of {np}", "set a new pin for {np}",
             "give {name} access to {np}", "who unlocked {np}", "when did i lock {np}", "when was {np} last (locked|opened)", "where are my keys",
             "where is my key", "copy my keys", "{np} is (squeaking|broken|stuck)", "raise {np}", "lower {np}", "why is {np} unlocked",
             "make {np} (red|blue|squeak less)", "kick {np} in", "lock (the cat|the dog|my brother|him|her|grandma) (in|out)",
             "pick the lock on {np}"],
    "alarm": ["set an alarm for {clock}", "set an alarm for {clock} (tomorrow|on monday|every day|)", "set the alarm for {clock}",
              "set the alarm to {clock}", "set my alarm for {clock}", "set my alarm to {clock}", "set alarm {clock}", "alarm at {clock}",
              "alarm for {clock}", "alarm {clock}", "alarm in {n} minutes", "set an alarm in {n} minutes", "wake me (up |)at {clock}",
              "wake me up in {n} minutes", "snooze", "snooze the alarm", "snooze for {n} minutes", "cancel my {clock} alarm",
              "cancel my (morning|wake up) alarm", "turn off my {clock} alarm", "turn off my (morning|wake up|wake-up) alarm",
              "delete all my alarms", "set a wake up alarm", "what time is my alarm", "when is my alarm set for", "when does my alarm go off",
              "what alarms do i have", "change my alarm to {clock}", "an alarm for {clock} please", "set an alarm", "set an alarm clock",
              "turn off the alarm clock", "turn off the (smoke|fire|car|carbon monoxide) alarm", "turn on the (smoke|fire|car) alarm",
              "(test|check) the (smoke|fire|car) alarm", "is the (smoke|fire|car) alarm (on|working)", "test {np}", "raise {np}", "raise the alarm",
              "sound {np}", "sound the alarm", "trigger {np}", "make {np} louder", "turn {np} up", "turn {np} down", "turn {np} volume down",
              "set {np} to {pct} percent", "lock {np}", "dim {np}", "change the code of {np}", "what's the code for {np}", "what is the alarm code",
              "set a new alarm code", "who set {np} off", "why did {np} go off", "when did {np} go off", "who armed {np}", "that's alarming",
              "don't be alarmed", "false alarm", "false alarm everyone", "call the alarm company", "call the police", "install {np}", "buy an alarm",
              "play {np}", "change the alarm sound", "alarm tone", "repeat the alarm every day", "set an alarm for my meeting",
              "my alarm didn't go off this morning", "i slept through my alarm", "is there an alarm tomorrow", "set two alarms for {clock}"],
    "media": ["play {game} {in}", "play {game} with me", "let's play {game}", "can we play {game}", "do you want to play {game}",
              "play a (game|prank|trick|joke)", "play dead", "play fair", "play along", "play nice", "play outside",
              "play with (the dog|me|the kids|lego|dolls)", "who plays (james bond|batman|the doctor|the lead)", "how do you play {game}",
              "go back to the previous (song|track)", "previous (song|track) {in}", "play the (last|previous) (song|track|one) (again|)",
              "go back a (song|track)", "previous", "last song", "rewind", "rewind {n} seconds", "rewind {np}", "fast forward",
              "fast forward {n} minutes", "skip {n} seconds", "skip ahead {n} seconds", "skip back", "go back {n} seconds", "shuffle",
              "shuffle {np}", "shuffle my playlist", "repeat this song", "repeat", "loop this (song|track)", "put this song on repeat",
              "like this song", "i love this song", "i like this song", "great song", "add this song to my playlist", "save this song",
              "what song is this", "what's this song", "who sings this", "who sings this song", "what's the name of this song", "what album is this",
              "what's playing", "what's on tv", "what's on tv tonight", "is {np} on", "is {np} playing", "are {np} playing", "how loud is {np}",
              "what's the volume", "what volume is it {in}", "what's the volume at", "change the channel", "switch to channel {n}",
              "change the channel to {n}", "channel {n}", "go to channel {n}", "switch to hdmi {small}", "change the input to hdmi", "record {np}",
              "record this show", "download this song", "buy this album", "delete this song", "turn on subtitles", "subtitles on", "unmute",
              "unmute {np}", "connect {np} to bluetooth", "connect to my phone", "pair {np}", "increase the bass", "more bass", "turn up the bass",
              "less treble", "equalizer", "set {vol} to {over}", "set {vol} to {over} percent {in}", "volume {over} {in}",
              "volume (to|at) {over} {in}", "{np} volume {over}", "set {np} to {over} percent", "turn the volume up to {over}", "lock {np}",
              "dock {np}", "open {np}", "close {np}", "dim {np}", "sleep timer for {np}", "write a song", "sing me a song", "sing",
              "sing happy birthday", "hum a tune", "how old is {star}", "who is {star}", "book tickets for {star}", "buy concert tickets",
              "post this on social media", "check my social media", "open spotify", "open netflix", "open youtube", "start a new playlist",
              "make a playlist", "create a playlist called {word}", "what is your favourite song", "do you like jazz", "what's the best song ever",
              "move the music to {theroom}", "transfer the music to {theroom}", "set {np} to {deg} degrees", "clean {np}", "fix {np}",
              "{np} (is|are) (broken|not working|crackling)", "rename {np}", "how much is a new tv", "take a photo", "play back my messages",
              "play my voicemail", "read me a book", "read my messages", "watch out", "watch the kids", "press pause on our relationship",
              "movie times", "which movies are on at the cinema", "what movie should i watch", "recommend a movie", "rate this film"],
    "vacuum": ["is {np} (running|on|docked|charging|done|finished|clean|home|stuck|back)", "where is {np}", "where's {np}", "what is {np} doing",
               "how long until {np} is done", "how much battery does {np} have", "what's the battery level of {np}", "empty {np}",
               "empty the dustbin of {np}", "clean {np}", "fix {np}", "buy (a|a new) {hoover}", "change the bag {in}", "change the filter of {np}",
               "lock {np}", "open {np}", "turn {np} up", "make {np} faster", "set {np} to {pct}", "dim {np}", "play {np}", "mop {theroom}",
               "mop the floor {in}", "mop the floors {in}", "wipe the (table|counter|counters|windows) {in}",
               "clean the (windows|oven|toilet bowl|dishes|fridge|car|mirror|grill|fish tank|table|sink|gutters|sofa|bed sheets|walls) {in}",
               "wash the (dishes|clothes|car|dog|windows|floor by hand)",
               "do the (dishes|laundry|washing up|washing|ironing|shopping|gardening|homework|cooking)",
               "dust the (shelves|furniture|bookcase) {in}", "polish the (silver|table|shoes)", "scrub the (floor|tiles|bath) {in}",
               "tidy {theroom}", "tidy up {theroom}", "tidy your room", "make the bed {in}", "take out the (trash|rubbish|garbage|bins)",
               "water the plants {in}", "mow the lawn", "rake the leaves", "trim the hedge", "shovel the snow", "feed the (cat|dog|fish)",
               "walk the dog", "wash the curtains", "clean up your act", "clean my inbox", "clean my laptop", "did {np} finish",
               "when did {np} last run", "has {np} cleaned {theroom}", "was {theroom} vacuumed", "map {theroom}", "rename {np}",
               "{np} is (broken|full|dirty)", "vacuum seal the meat", "the meat is vacuum packed", "what is a vacuum", "nature abhors a vacuum",
               "is space a vacuum", "how does a vacuum flask work", "make {np} dance", "arm {np}", "set {np} to silent mode",
               "deep clean {theroom} with bleach", "i cleaned {theroom} myself", "hire a cleaner", "call the cleaning lady"],
    "temperature": ["what's the temperature in {city}",
                    "what's the temperature (of|on) (the sun|mars|lava|the moon|boiling water|the oven|the fridge|the pool|the sea|a volcano|liquid nitrogen|my coffee)",
                    "how (hot|warm|cold) is (the sun|mars|the oven|the pool|the sea|lava|my tea|the soup|the moon|the water|the fridge|alaska|antarctica)",
                    "how (hot|cold|warm) (is it|will it be|was it) in {city}",
                    "how (hot|cold|warm) will it (be|get) (tomorrow|tonight|on sunday|next week|this weekend)",
                    "what will the temperature be (tomorrow|tonight|this weekend|next week)",
                    "what was the temperature (yesterday|last night|last week) {in}", "do i have a (fever|temperature)", "take my temperature",
                    "what's my temperature", "what's a normal body temperature",
                    "what temperature should i (cook|bake|roast) (chicken|bread|beef|a cake|potatoes|salmon) at",
                    "at what temperature does (water boil|paper burn|iron melt|butter melt)", "convert {deg} degrees to fahrenheit",
                    "what is {f} fahrenheit in celsius", "the temperature is rising", "global temperatures are rising", "is it hot in {city}",
                    "is it cold in {city}", "is it cold on mars", "how warm should a {thing} be", "log the temperature", "plot the temperature",
                    "record the temperature every hour", "buy a thermometer", "the thermometer is broken", "temperature of the wine",
                    "is it going to be (cold|hot|warm|freezing) (tomorrow|tonight|later)", "open the temperature", "play the temperature",
                    "lock the temperature", "why does temperature change", "what's the highest temperature ever recorded", "what is absolute zero",
                    "what's the ideal temperature for sleeping", "is 20 degrees warm", "tell me if it gets too hot {in}",
                    "alert me when the temperature drops {in}", "average temperature in {city}"],
    "humidity": ["set the humidity to {pct}", "set the humidity to {pct}% {in}", "raise the humidity {in}", "lower the humidity {in}",
                 "increase the humidity {in}", "reduce the humidity {in}", "turn on the (dehumidifier|humidifier) {in}",
                 "turn off the (dehumidifier|humidifier) {in}", "(dehumidifier|humidifier) (on|off) {in}",
                 "make it (less humid|more humid|drier) {in}", "dry the air {in}", "dehumidify {theroom}", "humidify {theroom}",
                 "what's the humidity in {city}", "how humid (is it|will it be) in {city}", "how humid will it be (tomorrow|tonight)",
                 "what causes humidity", "what is humidity", "what's the ideal humidity for a (house|piano|cigar|baby)", "why is humidity bad",
                 "there's mould {in}", "buy a dehumidifier", "is the dehumidifier on", "the humidity is awful today in {city}",
                 "moisturise my hands", "what was the humidity yesterday {in}", "alert me when the humidity is over {pct} {in}",
                 "log the humidity {in}", "play humidity", "how dry is the desert", "open the humidity", "is a humid climate healthy"],
}

CLOCKS = ["7", "7 am", "seven", "7:30", "six thirty", "half past six", "8 o'clock", "noon", "midnight", "5 pm", "5:45", "ten to nine",
          "quarter past seven", "6am", "9 pm", "eight in the morning", "06:15", "22:00", "seven am", "half seven", "six o'clock", "tomorrow morning",
          "monday morning", "4", "11", "three", "ten thirty"]
LATER = ["at {clock}", "at {clock}", "at {clock} tomorrow", "tomorrow", "tomorrow morning", "tomorrow at {clock}", "in {n} minutes",
         "in {n} minutes", "in ten minutes", "in an hour", "in half an hour", "in {small} hours", "every (day|morning|evening|night) at {clock}",
         "every (day|morning|evening|night|monday|weekday|hour)", "on (monday|tuesday|friday|sunday|weekdays)", "next week", "when i get home",
         "when i leave", "when i'm back", "when the sun sets", "at sunset", "at sunrise", "after dinner", "before bed", "when it gets dark",
         "when it rains", "if it gets cold", "if it's too hot", "if nobody is home", "if i'm not home by {clock}", "once the movie is over", "later",
         "later tonight", "from {clock} to {clock}", "until {clock}", "for {n} minutes", "for an hour", "for the next {n} minutes",
         "after {n} minutes", "as soon as i leave", "when the alarm goes off", "unless it's raining", "while i'm away",
         "when someone rings the bell", "if the temperature drops below {deg}", "when the humidity is over {pct}", "every time i come home",
         "starting tomorrow", "this weekend", "daily", "on a timer", "one hour from now", "this afternoon at {clock}", "tonight at {clock}"]
NEGATIONS = ["don't {cmd}", "don't {cmd}", "don't {cmd}", "do not {cmd}", "do not {cmd}", "please don't {cmd}", "never {cmd}", "you shouldn't {cmd}",
             "please do not {cmd}", "you must not {cmd}", "i don't want you to {cmd}", "no need to {cmd}", "there's no need to {cmd}",
             "you don't have to {cmd}", "you don't need to {cmd}", "don't ever {cmd}", "dont you dare {cmd}", "i never asked you to {cmd}",
             "i didn't ask you to {cmd}", "i don't want to {cmd}", "let's not {cmd}", "stop trying to {cmd}", "refuse to {cmd}", "avoid {cmdg}",
             "i'd rather not {cmd}", "nobody should {cmd}", "under no circumstances {cmd}", "whatever you do, don't {cmd}", "no, don't {cmd}",
             "hey, don't {cmd} yet", "i would prefer if you didn't {cmd}", "please refrain from {cmdg}", "instead of {cmdg} tell me a joke"]
ABOUT = ["how do i {cmd}", "how do you {cmd}", "how can i {cmd}", "how does one {cmd}", "why did you {cmd}", "why would i {cmd}",
         "what happens if i {cmd}", "should i {cmd}", "do i have to {cmd}", "did you {cmd}", "did i {cmd} yesterday", "have you ever tried to {cmd}",
         "who asked you to {cmd}", "is it safe to {cmd}", "when should i {cmd}", "when did you {cmd}", "where can i learn to {cmd}",
         "how long does it take to {cmd}", "how much does it cost to {cmd}", "teach me how to {cmd}", "explain how to {cmd}", "tell me how to {cmd}",
         "remind me to {cmd}", "remind me to {cmd} later", "set a reminder to {cmd}", "ask {name} to {cmd}", "tell {name} to {cmd}",
         "text {name} to {cmd}", "call {name} and ask her to {cmd}", "email {name} to {cmd}", "i already asked {name} to {cmd}",
         "{name} told me to {cmd}", "in the film they {cmd}", "i dreamt that i had to {cmd}", "i used to {cmd} every night",
         "write a poem about how to {cmd}", "translate {cmd} into {language}", "how do you say {cmd} in {language}", "what does it mean to {cmd}",
         "can dogs {cmd}", "can my grandmother {cmd} by herself", "is it legal to {cmd}", "who usually {cmd}", "add {cmd} to my to-do list",
         "what would happen if someone tried to {cmd}", "spell {cmd}", "is it bad to {cmd}", "would you ever {cmd}", "make a routine to {cmd}",
         "how often should i {cmd}"]
PAST = ["(i|we|{name}) (already |just |)(turned|switched) (on|off) {np} (already|myself|yesterday|this morning|an hour ago|earlier|)",
        "(i|we|{name}) (already |just |)(turned|switched) {np} (on|off) (already|myself|yesterday|last night|earlier|)",
        "(i|we|{name}) (already |just |)(opened|closed|locked|unlocked|armed|disarmed|dimmed|started|stopped|cleaned|paused|set|fixed|bought) {np} (already|myself|yesterday|earlier|)",
        "(i|we|{name}) (vacuumed|cleaned|hoovered|heated|aired) {theroom} (already|myself|yesterday|earlier|)",
        "{name} (turns|switches) {np} (on|off) (every day|too often|all the time|)",
        "{np} (was|were) (on|off) (yesterday|all day|all night|last week)"]
JOINERS = [", ", ", ", ". ", "; ", " and ", " and ", " and ", " and then ", ", then ", " then ", " and also ", ", and ", " but ", " after that ",
           " plus ", " as well as "]
COLOURS = ["red", "blue", "green", "purple", "pink", "orange", "yellow", "warm white", "cool white", "cold white", "violet", "rainbow colours",
           "turquoise", "sunset colours", "cyan", "magenta", "teal", "gold"]
GAMES = ["chess", "checkers", "hide and seek", "a game", "cards", "poker", "football", "tennis", "tic tac toe", "monopoly", "scrabble",
         "twenty questions", "trivia", "solitaire", "minecraft", "basketball", "golf", "hangman", "video games", "with lego", "rock paper scissors",
         "tag", "fortnite", "i spy", "baseball", "dominoes", "go fish", "darts", "snooker", "billiards", "bingo", "charades", "pictionary",
         "backgammon", "bridge", "rugby", "cricket", "hockey", "volleyball", "table tennis", "ping pong", "badminton", "roulette", "blackjack",
         "sudoku", "pokemon", "mario kart", "fifa", "roblox", "simon says", "catch", "battleship", "uno", "jenga", "cluedo", "word games", "a quiz",
         "a word game", "a memory game", "akinator", "would you rather", "truth or dare"]
CITIES = "london|paris|new york|berlin|tokyo|madrid|rome|sydney|moscow|chicago|boston|dublin|delhi|cairo|rio|alaska|florida|spain|norway|iceland|hawaii|texas|canada|kenya|manchester|seattle|the desert|the mountains|the sahara|antarctica|bali|scotland".split("|")
STARS = ["taylor swift", "mozart", "the singer", "elvis", "beyonce", "freddie mercury", "the drummer", "bob dylan", "madonna"]
PEOPLE = ["mum", "mom", "dad", "anna", "john", "my wife", "my husband", "my brother", "grandma", "the plumber", "sarah", "my boss", "tom",
          "the neighbour", "my sister", "peter", "the landlord", "lucy", "the kids", "uncle bob"]
LANGUAGES = ["french", "spanish", "german", "italian", "japanese", "dutch", "polish", "chinese", "latin", "swedish"]


def slots_for(rng, split, device=None):
    """Everything a near-miss frame may name; {np} and the rooms come from a phrase of the device."""
    room = commands.draw_room(device, rng) if device else (rng.choice(rooms.NAMES) if rng.random() < 0.5 else None)
    phrase = commands.Phrase(device or "light", room, rng, split, "{np} {in}")
    fact = {
        "np": phrase.noun_phrase, "in": phrase.place_in, "theroom": phrase.the_room, "where": lambda: rng.choice(split.words(rooms.ROOMS[rng.choice(rooms.NAMES)])),
        "colour": COLOURS, "clock": CLOCKS, "game": GAMES, "city": CITIES, "star": STARS, "name": PEOPLE, "language": LANGUAGES, "vol": ["the volume",
            "volume", "the sound"],
        "deg": lambda: str(rng.randint(5, 40)), "pct": lambda: numbers.number(rng.randint(0, 100), rng), "small": lambda: numbers.number(rng.randint(1, 9), rng), "n": lambda: numbers.number(rng.choice([rng.randint(2, 60), rng.randint(2, 200)]), rng),
        "hot": lambda: numbers.number(rng.choice([40, 45, 50, 60, 70, 80, 90, 100, 200, 300, 500, 1000, rng.randint(40, 999), rng.randint(40, 120)]), rng) if rng.random() < 0.95 else "a thousand",
        "f": lambda: numbers.number(rng.randint(55, 90), rng), "over": lambda: numbers.number(rng.choice([110, 120, 150, 200, 300, 500, 999, rng.randint(101, 999)]), rng), "tiny": lambda: numbers.number(rng.randint(0, 4), rng),
        "fanbad": lambda: numbers.number(rng.choice([0, 4, 4, 5, 5, 6, 7, 8, 9, 10, 10, 11, 12, 20, 50, 100, rng.randint(4, 100)]), rng),
        "lamp": ["lamp", "light", "bulb"], "lamps": ["lights", "lamps", "bulbs"], "radiator": ["radiator", "heater", "thermostat", "boiler"], "curtains": ["curtains",
            "blinds", "shutters"], "socket": ["socket", "plug", "outlet"], "hoover": ["hoover", "vacuum", "robot vacuum"],
        "thing": THINGS, "word": lambda: noise.invented(rng),
    }
    obj = rng.choice(THINGS) if rng.random() < 0.85 else noise.invented(rng, 2, 3)
    fact["obj"] = lambda: f"{rng.choice(['the', 'the', 'the', 'my', '', 'our', 'that'])} {obj}"
    fact["obj0"] = obj
    return fact


def plain_command(rng, split, bare=True):
    """A request of ours without its wrapping: (text, kind)."""
    while True:
        device = rng.choices(commands.DEVICES[:9], commands.WEIGHTS[:9])[0]
        action = rng.choice(list(commands.INTENTS[device][0]))
        kind, frame = commands.choose_frame(device, action, rng, split)
        if kind == "cmd" or not bare:
            room = commands.draw_room(device, rng)
            value = commands.draw_value(device, rng) if action == "set" else None
            phrase = commands.Phrase(device, room, rng, split, frame)
            phrase.place = "end" if phrase.place == "front" else phrase.place
            return phrase.finish(render(frame, rng, commands.context(phrase, device, value, rng, split)), kind), kind, device


def other_object(rng, split):
    kind = "cmd"
    text = render(rng.choice(split.pick_frames(OBJECT_FRAMES)), rng, slots_for(rng, split))
    return noise.polite(rng, kind if rng.random() < 0.7 else "say", text, split.words)


def wrong_action(rng, split):
    device = rng.choice(commands.DEVICES)
    text = render(rng.choice(split.pick_frames(WRONG[device])), rng, slots_for(rng, split, device))
    kind = "ask" if text.split(" ")[0] in ("is", "are", "did", "what", "what's", "how", "why", "who", "where", "when", "which") else "cmd" if rng.random() < 0.6 else "say"
    return noise.polite(rng, kind, text, split.words)


def foreign_room(rng, split):
    """A request of ours in a room that is not: "turn on the light in the attic"."""
    place = rng.choice(rooms.FOREIGN) if rng.random() < 0.93 else noise.invented(rng) + " room"
    where = rng.choice(["in the ", "in the ", "in my ", "inside the "]) + place if rng.random() < 0.82 else rng.choice(rooms.FOREIGN_IN)
    device = rng.choices(commands.DEVICES, commands.WEIGHTS)[0]
    action = rng.choice(list(commands.INTENTS[device][0]))
    kind, frame = commands.choose_frame(device, action, rng, split)
    value = commands.draw_value(device, rng) if action == "set" else None
    phrase = commands.Phrase(device, None, rng, split, frame)
    scope = commands.context(phrase, device, value, rng, split)
    said = [False]

    def place_in():
        if said[0]:
            return ""
        said[0] = True
        return where

    def noun_phrase():
        if said[0] or rng.random() < 0.45:
            return f"{rng.choice(commands.DETERMINERS)} {phrase.noun}"
        said[0] = True
        return f"the {place} {phrase.noun}" if rng.random() < 0.5 else f"the {phrase.noun} {where}"

    def the_room():
        said[0] = True
        return "the " + place

    scope.update({"in": place_in, "np": noun_phrase, "theroom": the_room})
    text = render(frame, rng, scope)
    if not said[0]:
        text = f"{text} {where}" if rng.random() < 0.75 or kind == "ask" else f"{where}, {text}"
    return noise.polite(rng, kind, text, split.words)


def later(rng, split):
    """A request of ours for another time or on a condition."""
    text, kind, device = plain_command(rng, split, bare=rng.random() < 0.8)
    when = render(rng.choice(split.pick_frames(LATER)), rng, slots_for(rng, split, device))
    if rng.random() < 0.22:
        return f"{when}{rng.choice([', ', ' '])}{text}"
    return noise.polite(rng, kind, text, lambda words: words) .rstrip(".") + " " + when if rng.random() < 0.6 else f"{text} {when}"


def negated(rng, split):
    text, _, device = plain_command(rng, split)
    return render(rng.choice(split.pick_frames(NEGATIONS)), rng, dict(slots_for(rng, split, device), cmd=text, cmdg=noise.gerund(text)))


def about(rng, split):
    """Talk about a request, not the request."""
    text, _, device = plain_command(rng, split)
    return render(rng.choice(split.pick_frames(ABOUT)), rng, dict(slots_for(rng, split, device), cmd=text, cmdg=noise.gerund(text)))


# Values that a device has not; the sentences are those of values that it has, so the number alone decides.
RANGES = {"light": (0, 100), "blind": (0, 100), "media": (0, 100), "heating": (5, 35), "fan": (1, 3)}
UNITS = {"light": ["%", "%", " percent", " percent", "", ""], "blind": ["%", "%", " percent", " percent", "", ""], "media": ["%", " percent", "", "",
    ""],
         "heating": [" degrees", " degrees", "°", "", "", "", " c", " celsius", "°c"], "fan": [""]}


def beyond(device, rng):
    """A number out of a device's range: often just out, seldom far, at times below nothing."""
    low, high = RANGES[device]
    roll = rng.random()
    if roll < 0.12 or (roll < 0.30 and device == "heating"):
        below = rng.randint(1, 40) if low < 2 else rng.randint(-20, low - 1)
        return f"{rng.choice(['minus ', 'minus ', '-', 'negative '])}{numbers.number(abs(below), rng)}" if below < 0 or low < 2 else numbers.number(below, rng)
    if device == "fan":
        return numbers.number(rng.choice([0, 4, 4, 5, 5, 6, 7, 8, 9, 10, rng.randint(4, 30), rng.randint(10, 100)]), rng)
    near = rng.randint(high + 1, high + 25)
    value = rng.choice([near, near, rng.randint(high + 1, 300), rng.randrange(high // 10 * 10 + 10, 1000, 10), rng.randint(high + 1, 999)])
    return rng.choice(["a thousand", "one thousand", "1000", "5000", "two thousand", "a million", "10000"]) if rng.random() < 0.05 else numbers.number(value, rng)


def out_of_range(rng, split):
    """A value sentence of ours with a number that the device has not: "volume 250"."""
    device = rng.choice(list(RANGES))
    kind, frame = commands.choose_frame(device, "set", rng, split)
    phrase = commands.Phrase(device, commands.draw_room(device, rng), rng, split, frame)
    scope = commands.context(phrase, device, 20 if device != "fan" else 1, rng, split)
    said = []

    def value():
        number = beyond(device, rng)
        said.append(number)
        if device == "fan":
            return rng.choice(["{}", "{}", "speed {}", "level {}", "setting {}", "number {}", "gear {}"]).format(number)
        return number + rng.choice(UNITS[device])

    scope.update({"v": value, "v1": value})
    text = phrase.finish(render(frame, rng, scope), kind)
    return phrase.front + noise.polite(rng, kind, text, split.words) if said else wrong_action(rng, split)


NOUN_TALK = ["(who invented|what is|what's|how does|when was|who makes|where can i buy|where do they make|which is better,|tell me about|explain|describe|define|spell|google|draw|paint|find|order|sell|return|review|recommend) (a|the|my|) {np0}",
             "(what's the price of|how much is|how much does it cost to buy|how heavy is|how big is|how old is|what's the history of|what's the best brand of|how do i install|how do i clean|how do i fix|how do i repair|how do i connect|what colour is|how long does it last,) (a|the|this|my) {np0}",
             "how does (a|the) {np0} work",
             "(i|we) (bought|need to buy|want to buy|ordered|sold|lost|broke|found|love|hate|like|hung up|painted|washed|replaced) (a|the|our|my) (new |old |) {np0}",
             "(my|our|the neighbour's|his|her) {np0} (is|was|looks) (new|old|expensive|ugly|nice|broken|very good|too small|great|on sale)",
             "(write|add|put) {np0} (on|to) (my|the) (shopping list|list|wish list)",
             "{np0} (reviews|prices|for sale|shop|repair|manual|instructions|warranty|size|app|settings|history|energy use|brands)",
             "(call|email|text) someone about the {np0}",
             "(rename|remove|delete|add|pair|unpair|update|reset|reboot|calibrate|configure|schedule|group|name) (the|my|a new) {np0}",
             "what (is|'s) the (best|cheapest|quietest|smartest) {np0}", "what (brand|make|kind|sort) of {np0} (is|do we have|should i buy)",
             "why (is|does) (the|my) {np0} (broken|so expensive|make noise|not respond|offline|blink|not work|cost so much)",
             "(the|my) {np0} (broke|fell down|doesn't work|won't connect|is offline|is not responding|needs repair|needs a new battery|is ugly|was expensive)",
             "(where is|where's|have you seen|who has|who took|who broke|who bought) (the|my|our) {np0}",
             "is (the|a|my|our) {np0} (expensive|heavy|good|new|broken|worth it|safe|energy efficient|compatible|offline|connected)",
             "(put|move|hang|carry|bring|take|place) (the|my|our) {np0} (to the shop|to the dump|next to the window|upstairs|into the car|on ebay|over there|away from the wall)"]


# Sentences that tell something, in a room of ours or about a thing of ours, and ask for nothing.
TELLS = ["(i|we|he|she|they|{name}) (forgot|left|lost|found|dropped|hid|put|saw|broke|bought|moved|cleaned|painted|repaired) (his|her|my|our|their|the|a|some) {noun} {inroom}",
         "(i|we|he|she|they|{name}) (is|are|was|were|'s|'re) (sitting|standing|sleeping|eating|working|playing|waiting|reading|talking|crying|dancing|hiding|cooking|having lunch) {inroom}",
         "there (is|was|'s) (a|an|the|no|some) ({adj} |){noun} {inroom}", "there are (three|two|many|some|no|a lot of|ten) {noun}s {inroom}",
         "(we|i|they) (have|had|got|need|want|bought|ordered|saw) a (new|old|big|small|{adj}) {noun} {inroom}",
         "(my|the|our|his|her) {noun} (is|was|stands|lies|lives|belongs|hangs) {inroom}",
         "(my|the|our) ({adj} |){noun} (is|was|looks|seems|feels) (very |so |really |quite |too |) {adj} {inroom}",
         "(let's|we will|we'll|i will|i'll|i'm going to|we should|can we) (meet|eat|sleep|play|talk|dance|work|have dinner|have a party|study|sit|wait) {inroom}",
         "(who|what) (is|was|'s) (that|this|the {noun}|he|she|doing that|hiding|sleeping|eating) {inroom}",
         "where (in|) {theroom1} (is|are) (the|my) {noun}",
         "{np0}s? are (expensive|cheap|ugly|beautiful|old-fashioned|made in china|on sale|popular|bad for you|everywhere)",
         "(i|we|they|{name}) (like|love|hate|prefer|collect|sell|repair|make|install|need|bought|want) {adj} {np0}s?",
         "{np0}s? (on sale|for sale|for beginners|of the year|near me|in a box|and accessories)", "{adj} {np0}",
         "a {adj} {np0} (for|from|by|with|of) (a|the|my) {noun}", "(turn|go|walk|drive|look) (left|right|around|back) at the {np0}",
         "(the|a|my|our|his) {noun} (needs|wants|has|gets|saw|hit|ate|broke|bit) (a|the|my|our|some) {noun2}",
         "(my|our) {noun} (likes|loves|hates|needs|fears) (the |our |){np0}",
         "{theroom1} (is|looks|was|will be) (big|small|lovely|beautiful|ugly|finished|painted|blue|nice|new|old|empty|full of people|full of {noun}s|occupied|messy upstairs|my favourite room)",
         "(what's|what is|who's|who is) in {theroom1}", "how (big|large|old|wide|long|far away|expensive) is {theroom1}",
         "(paint|decorate|redecorate|sell|rent out|leave|rebuild|tidy|furnish|measure|photograph|map) {theroom1}",
         "(go|come|walk|run) (to|into|in|out of) {theroom1}",
         "(i'm|we're|he's|she's|{name} is) (in|at|going to|coming from|on my way to) {theroom1}",
         "(meet|see|wait for|join|find|help|call) (me|us|him|her) {inroom}",
         "(bring|take|carry|put|move|get) (the|my|a|some) {noun} (to|into|out of|from|in) {theroom1}",
         "pause for (thought|a moment and think|breath|reflection)",
         "stop (it|that|this|bothering me|lying|worrying|the car|by the shop|shouting|at the corner|whining)",
         "(open|close|shut|raise|lower|lift|drop) (your|my|his|the) (mouth|eyes|hand|voice|arms|mind|account|book|umbrella|price|stakes|bar|standards|shop|restaurant)",
         "(add|save|delete|like|share|download|rate|buy|rename|rewind|repeat|replay|loop|shuffle) (this|that|the) (song|track|album|video|film|movie|episode|playlist|podcast|show) (to (my|the) (favourites|favorites|library|list|playlist)|)",
         "(switch|set|change|tune|turn) (the tv|the telly|the radio|it|the television) to (channel {n}|hdmi {small}|the news channel|bbc one|fm {n}|another channel|station {n}|input {small}|channel {small})",
         "(garage|front|back|side|kitchen|car|shed) (door|gate|window) (up|down|open|closed|shut|ajar)",
         "(raise|lower|lift|open up|roll up) the (garage|front|back|shed) (door|gate)",
         "(lights|lamp|heating|curtains|music|fan|vacuum|door|alarm|blinds|socket|volume|temperature and humidity)"]


def tell(rng, split):
    scope = slots_for(rng, split)
    name = lambda: rng.choice(split.words(rooms.ROOMS[rng.choice(rooms.NAMES)]))
    device = rng.choice(commands.DEVICES[:9])
    scope |= {"inroom": lambda: rng.choice(["in the ", "in the ", "in my ", "in our ", "near the ", "behind the ", "next to the "]) + name() if rng.random() < 0.75 else "", "theroom1": lambda: "the " + name(),
              "np0": lambda: rng.choice(split.words(nouns.NOUNS[device])).rstrip("+"), "noun": words.STRANGE, "noun2": words.STRANGE, "adj": words.ADJECTIVES}
    return noise.polite(rng, "say", render(rng.choice(split.pick_frames(TELLS)).replace("s?", rng.choice(["", "s"])), rng, scope), split.words)


def noun_talk(rng, split):
    """Talk about a thing of ours: to buy it, to mend it, to know about it."""
    device = rng.choice(commands.DEVICES[:9])
    text = render(rng.choice(split.pick_frames(NOUN_TALK)), rng, slots_for(rng, split, device) | {"np0": rng.choice(split.words(nouns.NOUNS[device])).rstrip("+")})
    return noise.polite(rng, "say", text, split.words)


def past(rng, split):
    """What someone did is not a request."""
    device = rng.choices(commands.DEVICES[:9], commands.WEIGHTS[:9])[0]
    return noise.polite(rng, "say", render(rng.choice(PAST), rng, slots_for(rng, split, device)), split.words)


def several(rng, split):
    """Two commands in one breath, or one command for two devices or two rooms: one line answers one command."""
    roll = rng.random()
    if roll < 0.55:
        one, _, _ = plain_command(rng, split)
        two, _, _ = plain_command(rng, split) if rng.random() < 0.8 else (render(rng.choice(OBJECT_FRAMES[:30]), rng, slots_for(rng, split)), 0, 0)
        if rng.random() < 0.15:
            one, two = two, one
        return noise.polite(rng, "cmd", one + rng.choice(JOINERS) + two, split.words)
    if roll < 0.82:
        first, second = rng.sample(rooms.NAMES, 2)
        pair = f"{rng.choice(split.words(rooms.ROOMS[first]))}{rng.choice([' and ', ' and ', ' and the ', ' & ', ' and in the '])}{rng.choice(split.words(rooms.ROOMS[second]))}"
        device = rng.choices(commands.DEVICES, commands.WEIGHTS)[0]
        action = rng.choice(list(commands.INTENTS[device][0]))
        kind, frame = commands.choose_frame(device, action, rng, split)
        value = commands.draw_value(device, rng) if action == "set" else None
        phrase = commands.Phrase(device, first, rng, split, frame)
        phrase.synonym = lambda: pair
        phrase.place = "end" if phrase.place == "front" else phrase.place
        text = phrase.finish(render(frame, rng, commands.context(phrase, device, value, rng, split)), kind)
        return noise.polite(rng, kind, text, split.words) if " and " in text or " & " in text else one_of_two_devices(rng, split)
    return noise.polite(rng, "cmd", one_of_two_devices(rng, split), split.words)


def one_of_two_devices(rng, split):
    first, second = rng.sample(commands.DEVICES[:9], 2)
    names = f"the {rng.choice(split.words(nouns.NOUNS[first])).rstrip('+')}{rng.choice([' and ', ' and the ', ' and the ', ', and '])}{rng.choice(split.words(nouns.NOUNS[second])).rstrip('+')}"
    return rng.choice(["turn on {}", "turn off {}", "turn {} off", "turn {} on", "switch off {}", "switch on {}", "stop {}", "close {}", "start {}",
                       "{} off", "{} on", "turn up {}", "turn down {}", "set {} to 20", "open {}", "pause {}"]).format(names)


WITH_DEVICE = [(device, action, kind, frame) for (device, action), frames in commands.FRAMES.items() for kind, frame in frames
               if "np" in slots(frame) and not {"genre", "theroom"} & slots(frame)]


def foreign_device(rng, split):
    """A sentence of ours about a thing that is not: the noun decides, not the verb."""
    while True:
        device, action, kind, frame = rng.choice(WITH_DEVICE)
        if split.allows_frame(f"{device} {action} {frame}"):
            break
    thing = rng.choice(THINGS) if rng.random() < 0.9 else noise.invented(rng)
    phrase = commands.Phrase(device, commands.draw_room(device, rng) if rng.random() < 0.5 else None, rng, split, frame)
    phrase.noun, phrase.plural = thing, thing.endswith("s") and not thing.endswith("ss")
    value = commands.draw_value(device, rng) if action == "set" else None
    phrase.place = "end" if phrase.place == "front" else phrase.place
    text = phrase.finish(render(frame, rng, commands.context(phrase, device, value, rng, split)), kind)
    said = thing in text  # an alternative may have left the noun out, and then the sentence is ours
    return noise.polite(rng, kind, text, split.words) if said else other_object(rng, split)


ONLY = {"open": "blind", "close": "blind", "shut": "blind", "lock": "lock", "unlock": "lock", "arm": "alarm", "disarm": "alarm", "dock": "vacuum", "dim": "light",
        "brighten": "light", "play": "media", "mute": "media", "skip": "media", "hoover": "vacuum", "draw": "blind", "bolt": "lock", "send home": "vacuum", "cool down": "heating"}


def mismatch(rng, split):
    """A verb that belongs to another device: "lock the lamp"."""
    verb, owner = rng.choice(list(ONLY.items()))
    device = rng.choice([d for d in commands.DEVICES[:9] if d != owner and (verb, d) not in {("open", "lock"), ("play", "alarm"), ("bolt", "plug"), ("shut", "light")}])
    phrase = commands.Phrase(device, commands.draw_room(device, rng), rng, split, "{np}")
    if phrase.place == "front":
        phrase.place = "end"
    return noise.polite(rng, "cmd", phrase.finish(f"{verb} {phrase.noun_phrase()}", "cmd"), split.words)


KINDS = [(other_object, 14), (foreign_device, 18), (mismatch, 4), (wrong_action, 32), (foreign_room, 13), (later, 14), (negated, 7), (about, 9), (past, 5), (several, 12), (out_of_range, 13), (noun_talk, 7), (tell, 15)]


def near_miss(rng, split):
    make = rng.choices([k for k, _ in KINDS], [w for _, w in KINDS])[0]
    return make(rng, split)
