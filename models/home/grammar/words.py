"""Common English words that have nothing to do with a house, for sentences that must be refused."""

NOUNS = """time year people way day man thing woman life child world school state family student group country problem hand part place case week company system
program question work government number night point water mother area money story fact month lot right book eye job word business issue side kind
head father power hour game line end member law car city community name president team minute idea kid body information back parent face others
level person art war history party result change morning reason research girl guy moment teacher force education foot boy age policy process music
market sense nation plan college interest death experience effect use class control field development role effort rate heart drug show leader police
wife report mind price sport street star dog cat horse bird fish tree flower river mountain ocean island beach forest desert cloud storm summer
winter spring autumn apple banana orange bread cheese milk butter sugar salt coffee tea wine beer soup salad pizza pasta rice chicken beef egg cake
cookie chocolate sandwich potato tomato onion carrot garlic pepper lemon recipe dinner lunch breakfast restaurant hotel airport train bus ticket
flight passport holiday vacation trip map bridge road traffic driver doctor nurse hospital medicine lawyer judge court farmer baker painter singer
actor writer poet novel poem song movie film camera photo picture painting statue museum library letter email message phone computer internet
website password account bank loan tax bill salary shop store market shoe shirt dress hat coat jacket sock glove ring necklace watch umbrella bag
suitcase key knife fork spoon plate cup bottle pencil pen paper scissors hammer nail saw ladder rope engine wheel tyre bicycle boat ship plane
rocket moon planet galaxy atom molecule equation triangle circle theory experiment science biology chemistry physics mathematics philosophy language
grammar sentence verb alphabet football basketball tennis golf chess guitar piano violin drum trumpet orchestra dance ballet king queen prince
princess soldier army battle sword castle church temple god angel ghost dream memory joke secret lie truth love hate fear hope anger joy pain sleep
birthday wedding christmas easter present gift letterbox neighbour uncle aunt cousin baby grandmother grandfather friend boss colleague stranger
enemy hero dentist plumber electrician elephant lion tiger monkey rabbit mouse snake spider butterfly bee ant frog turtle whale shark dolphin
penguin eagle owl duck goose cow pig sheep goat wolf bear fox deer kangaroo dinosaur dragon unicorn robot alien volcano earthquake flood hurricane
weather calendar meeting appointment reminder timer stopwatch list note shopping order delivery parcel""".split()
# Those that no device of ours is called by.
STRANGE = [noun for noun in NOUNS if noun not in {"music", "song", "movie", "film", "robot", "story", "camera", "show"}]
VERBS = """go come make take see know get give find think tell become leave feel bring begin keep hold write stand hear let mean meet run pay sit speak lie
lead read grow lose fall send build understand draw break spend cut rise drive buy wear choose eat drink sleep walk talk work call try ask need want
help start show move live believe happen include continue learn change watch follow stop create add offer remember consider appear wait serve die
expect stay reach kill remain suggest raise pass sell require report decide pull cook bake fry boil wash iron paint sing dance swim climb jump fly
ride sail fish hunt plant dig count measure weigh solve explain translate spell type print copy delete save share download upload send email text
invite visit hug kiss marry divorce forgive promise argue fight win celebrate travel pack unpack book cancel order deliver return borrow lend rent
repair wrap peel chop stir taste smell touch push throw catch kick hit miss laugh smile cry shout whisper""".split()
ADJECTIVES = """good new first last long great little own other old right big high different small large next early young important few public bad same able red
blue green yellow black white purple happy sad angry tired hungry thirsty sick healthy rich poor strong weak fast slow easy hard soft loud quiet
clean dirty cheap expensive beautiful ugly funny serious boring interesting famous strange normal crazy smart stupid lazy busy free full empty sweet
sour bitter salty spicy fresh rotten wet dry deep shallow wide narrow thick thin heavy bright round square broken lost golden wooden ancient modern
american british french german italian local global secret dangerous safe kind rude polite honest brave shy proud jealous lonely""".split()
ADVERBS = """quickly slowly often never always sometimes usually really very well badly today tomorrow yesterday soon later already again together alone outside
abroad here there everywhere nowhere carefully happily sadly loudly quietly suddenly finally maybe perhaps probably certainly almost enough twice
once daily weekly""".split()
FOREIGN_SENTENCES = """wie spät ist es|mach das licht in der küche an|schalte die heizung aus|öffne die jalousien im büro|wie warm ist es im schlafzimmer
spiel musik im wohnzimmer|guten morgen|ich bin müde|bitte mach den ventilator an|licht aus|heizung auf 21 grad|wo ist der bahnhof|licht im flur an
allume la lumière dans la cuisine|éteins le chauffage|ouvre les volets du bureau|quelle heure est-il|il fait froid dans la chambre
mets de la musique|bonjour comment ça va|ferme la porte|je m'appelle pierre|baisse le volume s'il te plaît|où est la gare|température du salon
enciende la luz de la cocina|apaga la calefacción|abre las persianas|qué hora es|hace frío en el dormitorio|pon música en el salón|buenos días
cierra la puerta|me llamo juan|sube el volumen por favor|dónde está el baño|apaga las luces|accendi la luce in cucina|spegni il riscaldamento
apri le tapparelle|che ore sono|fa freddo in camera|metti la musica|buongiorno|chiudi la porta a chiave|alza il volume
doe het licht aan in de keuken|zet de verwarming uit|hoe laat is het|goedemorgen|wat is de temperatuur in de slaapkamer|włącz światło w kuchni
wyłącz ogrzewanie|która godzina|dzień dobry|acenda a luz da cozinha|desligue o aquecimento|que horas são|bom dia|tänd lampan i köket|stäng av värmen
god morgon|mutfaktaki ışığı aç|ısıtmayı kapat|saat kaç|включи свет на кухне|выключи отопление|который час|привет как дела|打开厨房的灯|关掉暖气|现在几点|你好
キッチンの電気をつけて|暖房を消して|今何時ですか|주방 불 켜줘|안녕하세요|शुभ प्रभात|أطفئ النور|مرحبا|כבה את האור|zapni světlo v kuchyni|sluk lyset i stuen|slå på lyset|sytytä valot
άναψε το φως|lumos maxima|lorem ipsum dolor sit amet|carpe diem|veni vidi vici|hakuna matata|c'est la vie|hasta la vista baby|arigato|danke schön
merci beaucoup|gracias amigo|ciao bella""".replace("\n", "|").split("|")
