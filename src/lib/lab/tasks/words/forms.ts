import { list } from './list.ts';

/** Small words and verb forms: not drawn at random, but every one should be a single token. */
export const FORMS = list(`
a about above across after ago all along already also although am among an and another any anybody anyone anything are
around as at away be because been before behind being below beside best better between big bit both but by came can cannot
could did do does done down during each either else enough even ever every everybody everyone everything everywhere
except far few first for from front full further go goes going gone good got had has have having he her here hers herself
him himself his how I if in inside instead into is it its itself just kept last least less let lots made many may maybe
me middle might mine more most much must my myself near nearby need needed needs next nice no nobody none nor not nothing
now of off on onto or other others our ours ourselves out outside over own past please ready right same second see seem
seemed several shall she should side since so some somebody someone something somewhere such sure than that the their them
themselves then there these they thing things third this those though three through to too top toward towards two under
until up upon us used very was way we went were what when where whether which while who whole whom whose why will with
within without would yes yesterday yet you your yours yourself today tomorrow tonight four five six seven eight nine ten
secret code number numbers favourite costs cost coin coins belongs lives works years kilos weighs called named
added asked baked barked became began begged believed blew borrowed bought bounced bowed broke brought brushed built buried
called carried caught cheered chose clapped cleaned climbed closed collected cooked counted covered crawled cried crossed
cut danced dark decided deep discovered dreamed dressed dried drank drew dropped dug eaten ate ended enjoyed entered
explained fed fell felt filled finished fixed flew floated folded followed forgave forgot forgotten found gathered gave
giggled given gold greeted grew grown guarded guessed guided handed happened hated heard held helped hid hidden hopped
hoped hugged hung hurried hurt invited joined jumped kicked kissed knew known knocked laid laughed leaned learned led
left lent lifted lit liked listened lived locked looked lost loved married measured melted mended met missed mixed
moved nodded noticed offered opened ordered packed paid painted passed patted picked planned planted played pointed
polished poured practised promised pulled pushed put raced rained ran rang reached remembered repaired rescued rested
returned rode rolled rose rowed rubbed rushed said sailed sang sat saved saw scratched searched seen sent sewed shared
shining shone shook shouted showed sighed singing slept slid slipped smelled smiled sniffed snowed sold spent spilled
splashed spoke stayed stepped stirred stole stood stopped stretched stuck swam swept swung taken talked tapped tasted
taught tears thanked thought threw tied told took touched travelled tried trusted turned untied visited waited walked
wandered wanted warmed washed watched watered waved welcomed wept whispered whistled won wondered woke wore worked
wrapped wrote yawned crying looking playing running sitting sleeping standing waiting walking working flying raining
`);

/** More of what stories are told with. */
export const TALES = list(`
adventure afternoon alone although anyway apple asleep awake backwards banner basketful beautiful beginning bend birds
blossom bottom bowed brighter butterflies button careless cheeks cloth cloudy coldest comfort content corner courage
cozy crumb crumbs curtain dangerous darker darkness dear deeper different difficult distance drop drum dry ducklings
easy edge ending enemy evenings excitement fairy fault feast feather feathers fierce finger fingers fireflies footprint
footprints forever fresh friends friendship funniest gift gifts giggle glasses goodbye grandma grandpa greedy grumpy
happier happiest harder harvest hello higher holiday hollow homework hundred hungry hurray important impossible invitation
lantern lanterns lesson lighter louder lovely luck lucky lullaby market meanwhile medicine mistake mistakes moonlight
naughty nests noisy ouch owner pack parents passenger patience pebbles perfect picnic pieces pile pink pirate pockets
polite possible prince princess promise proof puddles quick quiet rainy ready reason recipe refused reward richer riddle
roots safe safely scratch secret secrets seeds selfish shadows shelter shoulder shoulders silence simple sneeze snowflake
snowman snowy someday sorrow sparkle special splash stars steep stepping sticks stormy stranger strangers straw stronger
stubborn summit sunlight sunny sunrise supper swing tangled teamwork terrible thirsty thousand thunderstorm tiptoe toes
tools towel tracks traveller treats trouble trunk truth umbrella unicorn useful valuable villagers wagging warm weak
weekend whiskers wild willing windy wings wisdom wiser wishes wonderful worse wrong yummy
`);

export const MATERIALS = list(`brass clay cotton crystal glass iron leather marble paper plastic rubber silk steel stone tin wax wood wool`);
