import { list } from './list.ts';

/** Things that a child can carry: lost, given, mended, bought. */
export const TOYS = list(`
ball balloon bell blanket boat book boot bracelet brush bucket button camera candle cap card clock coat coin compass
crown cup dice doll feather flag glove hat helmet jar jewel kettle key kite lamp lantern letter locket map marble mask
medal mirror mitten mug necklace notebook pebble pen pencil pillow pin plate pouch puppet purse puzzle rattle ribbon
ring robot rope sack scarf shell shield shoe slipper spoon spyglass stamp statue sword ticket top torch toy train
umbrella vase wagon wallet wand watch whistle wheel
`).filter((w) => w !== 'toy' && w !== 'top');

/** Larger things; with TOYS they are what has codes and prices. */
export const OBJECTS = list(`
anchor arrow axe backpack barrel basin basket bathtub bicycle binder bottle bowl box broom cage calculator canoe canvas
cart cauldron chain computer crate cradle curtain cushion dish door drawer easel envelope fan fence folder fork frame
funnel gate globe hammer handle hook hose jug keyboard kennel knife magnet mailbox mattress microscope mop nail napkin
needle net oar oven paddle padlock pan parcel pipe pitcher plough pot printer pump radio raft ruler saddle safe saw
scale scissors scooter screen shovel sieve sign skateboard sledge soap sponge suitcase telephone telescope tent thimble
tile tray tripod trolley trunk tub vault wheelbarrow window wrench
`).filter((w) => w !== 'scissors' && w !== 'soap');

export const ANIMALS = list(`
alpaca ant antelope badger bat bear beaver bee beetle bison buffalo butterfly camel canary cat chicken cow crab crane
cricket crow deer dog dolphin donkey dove dragon duck eagle elephant elk falcon ferret fish fox frog gecko gerbil giraffe
goat goose hamster hare hawk hedgehog hen heron hippo horse iguana jackal kangaroo kitten koala lamb leopard lion lizard
llama lobster magpie mole monkey moose moth mouse newt octopus ostrich otter owl ox panda panther parrot peacock pelican
penguin pheasant pig pigeon pony puppy rabbit raccoon rat raven robin rooster salmon seal sheep skunk sloth snail
sparrow spider squirrel stork swan tiger toad tortoise turkey turtle vulture walrus weasel whale wolf wombat worm zebra
`).filter((w) => w !== 'robin');

/** Animals that a child can help or meet in a story. */
export const FRIENDLY = list(`
badger beaver cat crow deer dog donkey duck fox frog goat goose hare hedgehog hen horse kitten lamb mole mouse otter owl
parrot pigeon pony puppy rabbit raccoon raven rooster sheep sparrow squirrel swan tortoise turtle
`);
export const PLANTS = list(`
acorn bamboo birch bush cactus cedar clover daffodil dandelion elm fern fir grass iris ivy lavender lilac lily maple moss
mushroom oak orchid palm pine poppy reed rose sunflower thistle tulip violet weed willow
`).filter((w) => w !== 'weed');
