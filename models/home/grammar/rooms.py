"""Rooms: what people call them, and where in a sentence they put them."""

ROOMS = {
    "kitchen": ["kitchen", "kitchen", "kitchen", "kitchen", "kitchenette", "cooking area", "kitchen area", "kitchen diner", "galley kitchen"],
    "living_room": ["living room", "living room", "living room", "living room", "lounge", "lounge", "sitting room", "family room", "front room",
                    "livingroom", "living-room", "living area", "living space", "lounge room", "tv room", "drawing room", "salon"],
    "bedroom": ["bedroom", "bedroom", "bedroom", "bedroom", "bedroom", "bed room", "master bedroom", "main bedroom", "guest bedroom",
                "spare bedroom", "sleeping room", "kids bedroom", "son's bedroom", "daughter's bedroom", "children's bedroom", "guest room",
                "boudoir"],
    "bathroom": ["bathroom", "bathroom", "bathroom", "bathroom", "bath room", "loo", "toilet", "washroom", "restroom", "shower room", "ensuite",
                 "en suite", "powder room", "wc", "lavatory", "bath", "water closet", "half bath"],
    "hallway": ["hallway", "hallway", "hallway", "hall", "hall", "corridor", "landing", "entrance", "entrance hall", "entryway", "foyer",
                "entry hall", "passage", "passageway", "hall way", "entry", "vestibule"],
    "office": ["office", "office", "office", "office", "study", "study", "home office", "den", "workroom", "work room", "workspace", "office room",
               "computer room", "study room"],
    "garage": ["garage", "garage", "garage", "garage", "garage", "carport", "car port", "car garage"],
    "garden": ["garden", "garden", "garden", "garden", "yard", "backyard", "back yard", "patio", "terrace", "lawn", "back garden", "front garden",
               "front yard", "deck", "porch", "balcony", "veranda", "courtyard"],
}
NAMES = list(ROOMS)

# "in the …": these rooms can also follow other prepositions.
PREPOSITIONS = {
    "garden": ["in the", "in the", "in the", "out in the", "in our", "in my"],
    "hallway": ["in the", "in the", "in the", "in our", "by the"],
    "garage": ["in the", "in the", "in the", "in our", "in my", "out in the", "inside the", "over in the"],
}
IN = ["in the", "in the", "in the", "in the", "in the", "in the", "in my", "in our", "inside the", "in", "for the", "over in the"]
ON_THE = {"patio", "terrace", "lawn", "landing", "deck", "porch", "balcony", "veranda"}

OUTSIDE_IN = ["outside", "outdoors", "out back", "out front", "outside the house", "out there in the garden"]
OUTSIDE_ATTRIBUTE = ["outside", "outdoor", "outdoor", "exterior", "external"]

ALL_IN = ["everywhere", "everywhere", "in the whole house", "in all rooms", "in all the rooms", "in every room", "throughout the house",
          "all over the house", "in the entire house", "all over the place", "in each room", "around the house", "in every single room",
          "across the house", "in the house", "all around the house", "in all of the rooms", "through the whole house", "house-wide",
          "in the entire home", "in the whole flat", "all over the flat", "in the whole apartment", "in the entire apartment"]
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
