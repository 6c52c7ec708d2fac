"""Rooms: what people call them, and where in a sentence they put them."""

ROOMS = {
    "kitchen": ["kitchen", "kitchen", "kitchen room", "cook room", "cookhouse", "cooking space", "cooking room", "kitchen corner", "kitchen space",
                "main kitchen", "open kitchen", "eat-in kitchen", "kichen", "kitchin", "kitchen", "kitchen", "kitchen", "kitchen", "kitchenette",
                "cooking area", "kitchen area", "kitchen diner", "galley kitchen"],
    "living_room": ["living room", "living room", "main living room", "living-room area", "living room area", "lounge area", "sitting area",
                    "sitting-room", "family lounge", "main lounge", "livin room", "living rm", "family den room", "parlour", "parlor", "telly room",
                    "television room", "day room", "great room", "front lounge", "living room", "living room", "living room", "living room",
                    "lounge", "lounge", "sitting room", "family room", "front room", "livingroom", "living-room", "living area", "living space",
                    "lounge room", "tv room", "drawing room", "salon"],
    "bedroom": ["bedroom", "bedroom", "big bedroom", "small bedroom", "little bedroom", "second bedroom", "first bedroom", "other bedroom",
                "parents' bedroom", "parents bedroom", "kid's bedroom", "kids' bedroom", "child's bedroom", "boys' bedroom", "girls' bedroom",
                "baby's bedroom", "guests' bedroom", "visitor bedroom", "bed chamber", "bedchamber", "sleeping quarters", "sleeping area",
                "master suite", "master bed room", "our bedroom area", "bedrom", "bedrm", "bedroom", "bedroom", "bedroom", "bedroom", "bedroom",
                "bed room", "master bedroom", "main bedroom", "guest bedroom", "spare bedroom", "sleeping room", "kids bedroom", "son's bedroom",
                "daughter's bedroom", "children's bedroom", "guest room", "boudoir"],
    "bathroom": ["bathroom", "bathroom", "main bathroom", "family bathroom", "guest bathroom", "small bathroom", "master bathroom", "kids' bathroom",
                 "upstairs-style bathroom", "toilet room", "guest toilet", "guest loo", "ensuite bathroom", "en-suite", "en suite bathroom",
                 "bath area", "shower", "showers", "wet room", "cloakroom toilet", "little room", "potty", "restrooms", "lav", "bog", "bathrm",
                 "bathrom", "bathroom", "bathroom", "bathroom", "bathroom", "bath room", "loo", "toilet", "washroom", "restroom", "shower room",
                 "ensuite", "en suite", "powder room", "wc", "lavatory", "bath", "water closet", "half bath"],
    "hallway": ["hallway", "main hallway", "main hall", "front hall", "front hallway", "back hallway", "entrance hallway", "entrance area",
                "entry area", "entranceway", "lobby", "hallway area", "long corridor", "main corridor", "corridors", "halway", "hallways",
                "hall area", "reception hall", "hallway", "hallway", "hallway", "hall", "hall", "corridor", "landing", "entrance", "entrance hall",
                "entryway", "foyer", "entry hall", "passage", "passageway", "hall way", "entry", "vestibule"],
    "office": ["office", "home-office", "office space", "office area", "study area", "work space", "working room", "work area", "my desk room",
               "workstation room", "homeoffice", "ofice", "small office", "study den", "back office", "office", "office", "office", "office",
               "study", "study", "home office", "den", "workroom", "work room", "workspace", "office room", "computer room", "study room"],
    "garage": ["garage", "garage", "garage area", "double garage", "single garage", "big garage", "garage space", "car shed", "car port area",
               "carage", "garaj", "garage building", "parking garage at home", "garage", "garage", "garage", "garage", "garage", "carport",
               "car port", "car garage"],
    "garden": ["garden", "garden", "back-yard", "front-yard", "rear garden", "back lawn", "front lawn", "lawn area", "garden area", "outdoor area",
               "outside area", "back patio", "front porch", "back porch", "patio area", "terrace area", "decking", "back deck", "garden patio",
               "outdoor space", "grounds", "gardens", "side garden", "side yard", "yard area", "roof terrace", "garden", "garden", "garden",
               "garden", "yard", "backyard", "back yard", "patio", "terrace", "lawn", "back garden", "front garden", "front yard", "deck", "porch",
               "balcony", "veranda", "courtyard"],
}
NAMES = list(ROOMS)

# "in the …": these rooms can also follow other prepositions.
PREPOSITIONS = {
    "garden": ["in the", "in the", "in the", "out in the", "in our", "in my"],
    "hallway": ["in the", "in the", "in the", "in our", "by the"],
    "garage": ["in the", "in the", "in the", "in our", "in my", "out in the", "inside the", "over in the"],
}
IN = ["in the", "in the", "in the", "in the", "in the", "in the", "in my", "in our", "inside the", "in", "for the", "over in the"]
ON_THE = {"patio", "terrace", "lawn", "landing", "deck", "porch", "balcony", "veranda", "decking", "back deck", "back patio", "front porch", "back porch", "front lawn", "back lawn", "roof terrace", "terrace area", "patio area"}

OUTSIDE_IN = ["out in the open", "out there", "in the open air", "outside the house", "outside", "outdoors", "out back", "out front",
              "outside the house", "out there in the garden"]
OUTSIDE_ATTRIBUTE = ["outside", "outdoor", "outdoor", "exterior", "external"]

ALL_IN = ["in every last room", "in the complete house", "all through the house", "in all the house", "for the whole house", "for the entire house",
          "for every room", "in every single room", "in all my rooms", "in all our rooms", "in every part of the house", "in any room",
          "all round the house", "in the entire flat", "in my whole house", "in our whole house", "throughout the whole house",
          "throughout the flat", "throughout", "wherever", "in all of the house", "everywhere in the house", "everywhere in here", "everywhere",
          "everywhere", "in the whole house", "in all rooms", "in all the rooms", "in every room", "throughout the house", "all over the house",
          "in the entire house", "all over the place", "in each room", "around the house", "in every single room", "across the house",
          "in the house", "all around the house", "in all of the rooms", "through the whole house", "house-wide", "in the entire home",
          "in the whole flat", "all over the flat", "in the whole apartment", "in the entire apartment"]
ALL_ATTRIBUTE = ["whole house", "entire house", "house", "all the house"]

HERE = ["in here", "in here", "here", "in this room", "around here", "right here", "over here", "in the room"]

# Rooms and places this house has not: a request for one of them is refused.
FOREIGN = ["attic", "basement", "cellar", "dining room", "dining area", "laundry room", "utility room", "pantry", "conservatory", "nursery", "gym",
           "loft", "shed", "greenhouse", "sauna", "library", "playroom", "game room", "closet", "wardrobe", "walk-in closet", "staircase", "stairs",
           "stairwell", "barn", "pool", "pool house", "cabin", "tent", "caravan", "car", "boat", "hotel room", "hotel", "classroom", "school",
           "church", "shop", "store", "warehouse", "factory", "hospital", "restaurant", "cinema", "theatre", "elevator", "lift", "mudroom",
           "sunroom", "wine cellar", "storage room", "box room", "boiler room", "server room", "meeting room", "conference room", "waiting room",
           "museum", "stable", "workshop", "studio", "granny flat", "neighbour's house", "neighbor's garage", "treehouse", "summer house", "bunker",
           "storeroom", "cloakroom", "crypt", "dungeon", "driveway", "street", "roof", "rooftop", "cupboard", "music room", "dressing room",
           "nursery room", "craft room", "prayer room", "bar", "home cinema"]
FOREIGN_IN = ["upstairs", "downstairs", "on the first floor", "on the second floor", "on the ground floor", "on the top floor", "next door",
              "at work", "at grandma's", "at school", "at my parents' place", "at the cabin", "in the car"]
