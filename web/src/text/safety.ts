// 256 words for a byte each: short, gentle, and unlike one another in sound and in their first three
// letters, so that they can be read aloud over a bad line and by somebody who speaks with an accent.

export const SAFETY_WORDS: readonly string[] = `
  acorn album alder almond anchor apple apron autumn avocado baker bamboo banjo barley basil
  beaver bench bicycle birch biscuit blanket blossom bonnet book branch brush bubble bucket
  buffalo bugle butter cabin cactus canoe carpet castle cherry chimney citrus clock coast cobalt
  cocoa comet copper cotton crocus curtain cushion daisy dingo dolphin donkey drum eagle earth
  echo emerald evening fabric falcon feather fern field finch forest fox frost galaxy garden
  gazelle gecko ginger giraffe glass globe grape green guitar hamlet hazel hedge hiking hobby
  holly honey horizon hotel icing indigo island ivy jacket jaguar jasmine jelly jewel jigsaw
  journey jug juice jumper jungle kayak kelp kettle kimono kite kiwi koala ladder lagoon lake lamp
  lantern laundry lemon lilac linen lizard lodge lotus luggage lunch magnet mailbox mango maple
  marble meadow melon mint mitten moss muffin music napkin nectar noodle nutmeg oasis ocean octave
  olive onion opal orange orbit orchid ostrich otter oyster paint panda paper parade pasta patio
  peach pelican pencil piano picnic pillow planet plum porch potato pretzel pudding purple puzzle
  quiet rabbit radio raft rainbow rhubarb ribbon river rooster ruby saffron sage salad satin
  scooter seed sesame silk sketch sleeve smile snail socks sofa soup spark spoon spring square
  stamp stork studio sugar summer sunset sushi swan sweater swift syrup table tadpole teapot teddy
  temple tent thimble tiger toffee tomato topaz trail tree trolley trumpet tulip turnip tweed twig
  ukulele unicorn valley vanilla velvet video village vine violin voyage waffle wagon walnut
  welcome wheat whistle wicker window wonder wool yacht yellow yodel yogurt zebra zigzag
`
  .trim()
  .split(/\s+/);

/** The words of some numbers, 0–255 each. */
export const safetyWords = (numbers: readonly number[]): string[] =>
  numbers.map((number) => SAFETY_WORDS[number] ?? "");
