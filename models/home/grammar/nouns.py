"""What people call each device. A trailing "+" marks a plural; repeated entries are likelier."""

NOUNS = {
    "light": ["lamp light", "room light", "ceiling spots+", "light strip", "strip light", "spot light", "spot lights+", "flood light",
              "flood lights+", "hanging lamp", "hanging light", "side lamp", "side lights+", "table light", "wall light", "desk light",
              "floor light", "reading lights+", "ceiling lamps+", "table lamps+", "bedside lamps+", "led bulb", "led lamp", "led lights+",
              "tube light", "neon light", "neon lights+", "overhead lamp", "overheads+", "overhead lighting", "ceiling lighting",
              "indirect lighting", "ambient lighting", "background lighting", "standard lamp", "uplighter", "downlight", "downlighter",
              "chandeliers+", "small light", "little lamp", "small lamp", "little light", "other light", "lantern light", "lanterns+",
              "light switch", "light", "light", "light", "light", "lights+", "lights+", "lights+", "lights+", "lights+", "lights+", "lamp", "lamp",
              "lamps+", "lighting", "bulb", "bulbs+", "light bulb", "light bulbs+", "lightbulb", "ceiling light", "ceiling lights+", "ceiling lamp",
              "spotlights+", "spotlight", "spots+", "leds+", "led", "led strip", "led lights+", "strip lights+", "chandelier", "floor lamp",
              "standing lamp", "desk lamp", "table lamp", "bedside lamp", "bedside light", "night light", "nightlight", "reading light",
              "reading lamp", "overhead light", "overhead lights+", "fairy lights+", "downlights+", "wall lights+", "wall lamp", "sconces+",
              "pendant light", "main light", "main lights+", "big light", "lantern", "smart light", "smart bulb", "light fixture", "mood lights+",
              "mood lighting", "accent lights+", "track lights+", "corner lamp", "string lights+", "floodlights+", "floodlight", "christmas lights+",
              "fluorescent lights+", "backlight", "uplighters+"],
    "heating": ["radiators+", "radiator", "heating", "thermostats+", "heat", "central heat", "heater unit", "wall heater", "fan heater",
                "oil heater", "electric radiator", "electric heating", "gas heater", "gas boiler", "heating unit", "room heater", "heated floor",
                "underfloor heat", "heating thermostat", "radiator thermostat", "smart heating", "heating panel", "panel heater", "warm air heating",
                "hvac heating", "heating", "heating", "heating", "heating", "heating", "heating", "heat", "heat", "heat", "heater", "heater",
                "heaters+", "radiator", "radiator", "radiators+", "thermostat", "thermostat", "central heating", "underfloor heating",
                "floor heating", "boiler", "furnace", "radiator valve", "electric heater", "space heater", "rads+", "smart thermostat",
                "heating system", "storage heater", "convector", "gas heating"],
    "blind": ["curtain", "shades+", "shutters+", "blinds+", "roller shades+", "roller curtains+", "roman blinds+", "roman shades+", "venetian blind",
              "venetians+", "vertical blind", "wooden blinds+", "window curtains+", "window shade", "window shutter", "blackout blind",
              "blackout shades+", "blackout curtain", "black-out blinds+", "black-out curtain", "sun blind", "sun blinds+", "sunshades+", "sunshade",
              "electric blinds+", "electric shutters+", "motorised blinds+", "motorized shades+", "sheers+", "sheer curtains+", "thick curtains+",
              "heavy curtains+", "velvet curtains+", "drapery", "bamboo blinds+", "pleated blind", "big curtains+", "blind", "blind", "blinds+",
              "blinds+", "blinds+", "blinds+", "blinds+", "shutter", "shutters+", "shutters+", "curtain", "curtains+", "curtains+", "curtains+",
              "shade", "shades+", "shades+", "roller blind", "roller blinds+", "roller shutter", "roller shutters+", "rollers+", "venetian blinds+",
              "window blinds+", "window blind", "window shades+", "window coverings+", "drapes+", "drape", "sunblinds+", "roller shade",
              "blackout blinds+", "blackout curtains+", "awning", "roman blind", "vertical blinds+", "jalousie", "jalousies+", "louvres+",
              "louvers+", "smart blinds+", "net curtains+", "roller", "window shutters+", "sun shade"],
    "fan": ["air circulator", "vent", "vents+", "extractor fans+", "extraction fan", "bathroom extractor", "blower", "exhaust", "exhaust fans+",
            "ceiling fans+", "table fans+", "tall fan", "small fan", "big fan", "stand fan", "bladeless fan", "room fan", "window fan",
            "portable fan", "wall-mounted fan", "cooling fan", "usb fan", "fan", "fan", "fan", "fan", "fan", "fan", "fan", "fans+", "fans+",
            "ceiling fan", "ceiling fan", "ventilator", "desk fan", "table fan", "standing fan", "tower fan", "extractor fan", "extractor",
            "exhaust fan", "ventilation", "ventilation fan", "box fan", "floor fan", "pedestal fan", "smart fan", "air fan", "overhead fan",
            "wall fan", "vent fan", "electric fan", "cooling fan", "oscillating fan", "ventilator fan"],
    "plug": ["power plug", "smart sockets+", "smart outlets+", "power sockets+", "power outlets+", "wall sockets+", "wall outlets+", "electric plug",
             "electric plugs+", "electrical socket", "electrical plug", "electricity socket", "plug point", "power points+", "extension",
             "extension lead", "extension cable", "power extension", "extension socket", "receptacle", "mains", "mains plug", "mains outlet",
             "socket outlet", "zigbee plug", "tp-link plug", "switched socket", "remote socket", "heater plug", "lamp socket", "computer plug",
             "charging socket", "double socket", "tv socket", "plug", "plug", "plug", "plug", "plugs+", "socket", "socket", "sockets+", "outlet",
             "outlet", "outlets+", "power outlet", "power socket", "smart plug", "smart plug", "smart plugs+", "smart socket", "smart outlet",
             "power strip", "power strip", "wall socket", "wall outlet", "wall plug", "power plug", "extension lead", "extension cord",
             "plug socket", "power point", "mains socket", "multi plug", "power bar", "electric socket", "electrical outlet", "power board",
             "wifi plug", "surge protector", "charger plug", "lamp plug", "coffee machine plug", "tv plug", "desk plug", "fridge plug",
             "kettle plug", "printer socket", "electric outlet", "mains plug", "power adapter", "power supply strip"],
    "lock": ["front doors+", "back doors+", "front entrance", "main entrance", "back entrance", "rear entrance", "side entrance", "entrance",
             "street door", "outer door", "outside door", "house doors+", "cellar-side door", "terrace-side door", "main gate", "side gate",
             "gates+", "entry gate", "door locks+", "electronic lock", "main lock", "main door lock", "front lock", "back lock", "door latch",
             "safety lock", "security lock", "door", "door", "door", "door", "doors+", "front door", "front door", "front door", "front door",
             "front door", "back door", "back door", "back door", "main door", "side door", "door lock", "lock", "lock", "locks+", "smart lock",
             "entrance door", "entry door", "gate", "front gate", "deadbolt", "dead bolt", "bolt", "rear door", "house door", "back gate",
             "door bolt", "apartment door", "flat door", "french doors+", "sliding door", "latch", "front door lock", "back door lock"],
    "alarm": ["burglary alarm", "burglar alarms+", "intruder system", "intruder alarm system", "security alarm system", "home alarm system",
              "house alarm system", "alarms+", "alarm protection", "home security alarm", "house security system", "perimeter alarm",
              "break-in protection", "intrusion alarm", "intrusion detection", "anti-burglar alarm", "anti-intruder alarm", "property alarm",
              "safety alarm", "alarm", "alarm", "alarm", "alarm", "alarm", "alarm", "alarm system", "alarm system", "security alarm",
              "burglar alarm", "house alarm", "security system", "security system", "home alarm", "intruder alarm", "security", "home security",
              "burglar alarm system", "motion alarm", "house security", "anti theft alarm", "theft alarm", "break-in alarm", "home security system"],
    "media": ["sounds+", "beats+", "playback", "the playing", "song that's playing", "background music", "cd", "vinyl", "radio station", "radio set",
              "internet radio", "sonos speaker", "smart speakers+", "bluetooth speakers+", "loudspeakers+", "loudspeaker", "music player",
              "music system", "stereo system", "surround sound", "home cinema sound", "tv sound", "tv show", "tv series", "series", "episode",
              "youtube video", "videos+", "concert", "mixtape", "spotify music", "spotify", "playlist music", "television set", "big tv",
              "flat screen", "streaming box", "mp3 player", "kitchen radio", "turntable", "music", "music", "music", "music", "music", "music", "tv",
              "tv", "tv", "radio", "radio", "radio", "speaker", "speaker", "speakers+", "speakers+", "stereo", "sound system", "television", "telly",
              "playlist", "song", "podcast", "audio", "sound", "tunes+", "hi-fi", "hifi", "soundbar", "sonos", "movie", "film", "video", "album",
              "track", "media", "media player", "record player", "smart speaker", "bluetooth speaker", "audiobook", "soundtrack", "tv set",
              "smart tv", "home theater", "jukebox", "cd player", "boombox", "show", "streaming", "sound bar", "record"],
    "vacuum": ["robot vacuum cleaner", "robotic vacuum cleaner", "robotic cleaner", "robotic hoover", "robo hoover", "robo cleaner", "robo-vac",
               "robot vac", "auto vacuum", "automatic vacuum", "automatic vacuum cleaner", "floor cleaner", "floor robot", "floor cleaning robot",
               "robot floor cleaner", "sweeping robot", "carpet sweeper robot", "vacuum machine", "cleaning machine", "cleaning droid", "hoover bot",
               "hoovering robot", "smart vacuum", "smart hoover", "dust sucker", "dust buster", "roborock", "robot sucker", "eufy", "neato",
               "vacuum", "vacuum", "vacuum", "vacuum", "vacuum", "vacuum cleaner", "vacuum cleaner", "robot vacuum", "robot vacuum", "robot",
               "robot", "hoover", "hoover", "roomba", "roomba", "robot cleaner", "cleaning robot", "vacuum robot", "robovac", "robotic vacuum",
               "vac", "robo vac", "robot hoover", "cleaner", "cleaning bot", "sweeper", "robot sweeper", "vacuum bot", "vacuuming robot",
               "hoover robot", "little robot", "vacuum-cleaner", "dyson"],
    "temperature": ["temps", "room temp", "air temp", "inside temperature", "inside temp", "indoor temp", "actual temperature", "exact temperature",
                    "present temperature", "temperature value", "temperature right now", "temperature", "temperature", "temperature", "temperature",
                    "temp", "room temperature", "air temperature", "current temperature", "indoor temperature", "temperature reading",
                    "temperature level", "thermometer reading", "ambient temperature"],
    "humidity": ["moisture content", "air humidity level", "relative air humidity", "percent humidity", "damp level", "dampness level",
                 "amount of moisture", "humidity value", "humidity percentage", "air dampness", "wetness of the air", "room humidity", "rh",
                 "moisture reading", "moisture percentage", "inside humidity", "humidity", "humidity", "humidity", "humidity", "humidity level",
                 "moisture level", "air humidity", "relative humidity", "moisture", "humidity reading", "current humidity", "dampness",
                 "air moisture", "humidity percentage", "indoor humidity"],
}

# Nouns that hold only for some of a device's requests.
VOLUME = ["noise level", "speaker volume", "music volume", "tv volume", "radio volume", "volume level", "tv sound", "sound", "volume", "volume",
          "volume", "volume", "sound", "sound level", "audio", "loudness", "sound volume", "audio level"]
BRIGHTNESS = ["luminosity", "dimmer", "light output", "dimming level", "intensity", "brightness setting", "dimmer level", "lights' brightness",
              "brightness", "brightness", "brightness", "light level", "lighting level", "brightness level", "light intensity", "illumination"]
ARTISTS = """coldplay|metallica|bach|beethoven|drake|rihanna|ed sheeran|pink floyd|led zeppelin|the rolling stones|bob marley|johnny cash|frank sinatra
ella fitzgerald|miles davis|nirvana|radiohead|u2|oasis|blur|adele|beyonce|lady gaga|eminem|kanye west|billie eilish|dua lipa|the weeknd|bruno mars
elton john|michael jackson|prince|madonna|whitney houston|elvis presley|dolly parton|vivaldi|chopin|debussy|tchaikovsky|daft punk|kraftwerk
depeche mode|the cure|the smiths|fleetwood mac|the eagles|ac/dc|guns n roses|iron maiden|foo fighters|green day|linkin park|arctic monkeys|gorillaz
massive attack|norah jones|nina simone|bon jovi|the doors album""".replace("\n", "|").split("|")
TITLES = """bohemian rhapsody|stairway to heaven|thriller|imagine|yesterday|hey jude|hotel california|wonderwall|dancing queen|purple rain|billie jean|let it be
smooth jazz|the four seasons|swan lake|moonlight sonata|shape of you|rolling in the deep|the jazz station|classic fm|capital radio|radio one|npr
the evening news|the daily podcast|the audiobook|harry potter audiobook|star wars|the lion king|frozen|stranger things|friends|the simpsons
planet earth|the crown|sesame street|peppa pig|bluey|match of the day|my mixtape|our wedding song|the top forty|summer hits|eighties hits
nineties music|oldies|ambient sounds|whale songs|ocean waves|guitar music|violin music|drum and bass|house music|latin music|salsa|bossa nova|k-pop""".replace("\n", "|").split("|")
GENRES = ["jazz", "rock", "some jazz", "classical music", "some music", "some tunes", "pop music", "my playlist", "the radio", "a song",
          "my favourite song", "my favorite playlist", "relaxing music", "some relaxing music", "party music", "the beatles", "queen", "some mozart",
          "hip hop", "country music", "my workout playlist", "the news on the radio", "a podcast", "my podcast", "the next episode of my podcast",
          "an audiobook", "my audiobook", "christmas songs", "lo-fi beats", "something relaxing", "something upbeat", "some background music",
          "techno", "the movie", "a film", "some blues", "the latest taylor swift album", "music", "tunes", "abba", "some piano music",
          "dinner music", "sleep sounds", "chill music", "rain sounds", "white noise", "bbc radio", "the morning news", "radio four", "heavy metal",
          "reggae", "soft music", "something by david bowie", "some soul music", "disco", "folk songs", "opera", "a playlist", "my liked songs",
          "the new album by adele", "kids songs", "nursery rhymes", "the football match on tv", "netflix", "a movie on the tv", "music for studying",
          "something nice", "my music", "the tv show", "spotify"]


def genre(rng, words):
    """Something to listen to or to watch."""
    roll = rng.random()
    if roll < 0.62:
        return rng.choice(words(GENRES))
    if roll < 0.72:
        return rng.choice(["", "", "some ", "something by ", "the latest album by ", "songs by ", "music by "]) + rng.choice(words(ARTISTS))
    if roll < 0.84:
        return rng.choice(["", "", "", "the song ", "the album ", "the film "]) + rng.choice(words(TITLES))
    invented = " ".join(rng.choice(OPEN_WORDS) for _ in range(rng.randint(1, 3)))
    return rng.choice(["the song {}", "the album {}", "the podcast {}", "the {} podcast", "{} by " + rng.choice(ARTISTS), "my {} playlist", "the {} playlist", "some {} music", "{} music", "{} songs", "{} radio", "the soundtrack of {}", "a song about {}", "the movie {}", "the {} soundtrack", "{} on spotify", "the track {}"]).format(invented)


OPEN_WORDS = """love night summer river blue golden heart road sky dream fire rain dance city moon star angel wild sweet lonely happy crazy little big old young
sunday friday morning midnight yellow black white red silver ocean mountain highway train ghost king queen baby girl boy man woman world forever
tomorrow yesterday gym running sleep study focus party dinner coffee beach road-trip christmas halloween wedding birthday kids baby dog cat irish
french spanish german african indian japanese cuban celtic arabic chill upbeat slow fast sad soft hard deep true crime history science comedy
cooking football tech news money garden mystery""".split()
