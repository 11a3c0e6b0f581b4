import { list } from './list.ts';

/** Adjectives for things. */
export const LOOKS = list(`
ancient antique big bright broken carved cheap clean crooked cracked curved dark dented dirty dusty elegant enormous fancy
fine flat foreign fragile giant glass gleaming glittering handmade heavy hollow huge iron large leather light little long
magic marble metal modern muddy narrow neat new odd old painted paper patched plain plastic polished pretty rare round
rubber rusty shiny simple small smooth soft sparkling spotted square square steel sticky stone strange striped sturdy tall
thick thin tiny torn ugly velvet wide woolen wooden worn
`);

/** Those of LOOKS that a child would love in a story, without colours. */
export const LOVED = list(`
old new little tiny shiny wooden pretty soft round striped spotted painted magic bright smooth fancy handmade sparkling
polished carved
`);

/** Character of people and animals. */
export const NATURES = list(`
brave calm careful cheerful clever curious friendly funny gentle generous helpful honest humble jolly kind lazy lively
merry nice patient playful polite proud quick quiet shy silly smart strong thoughtful wise young
`);

export const FEELINGS = list(`
afraid angry ashamed bored confused delighted disappointed eager excited glad grateful happy hopeful hungry jealous
lonely nervous pleased proud relieved sad scared sleepy sorry surprised thirsty tired unhappy upset worried
`);

export const ADVERBS = list(`
again almost always away carefully early gently happily hard kindly late loudly never often once only perhaps politely
proudly quickly quietly rarely really sadly sometimes slowly softly soon still suddenly together twice very warmly well
`);

export const VERBS = list(`
add ask bake bark become begin believe blow borrow bounce break bring build buy call carry catch change chase choose clap
clean climb collect come cook copy count cross cry cut dance decide dig draw dream drink drive drop eat enjoy explain
explore fall feed feel fill find finish fix float fly fold follow forget forgive gather give glow go greet grow guess
guide help hide hold hop hope hug hunt hurry invite join jump keep kick knock know land laugh lead learn leave lend
lift like listen live look lose love make march measure meet melt mend miss mix move nod notice open pack paint pass
pay pick plan plant play point polish pour practise promise protect pull push race rain read reach remember repair rescue
rest return ride rise roll row run sail save say search sell send sew shake share shine shout show sing sit skip sleep
slide smell smile snow solve speak spend spill spin splash stand stare start stay steal steer stir stop swim swing take
talk taste teach tell thank think throw tie touch travel trip trust try turn visit wait wake walk wander want wash waste
watch water wave wear weigh whisper win wink wish wonder work worry wrap write yawn
`);

/** Nouns of the everyday world that the stories and the copied word lists use. */
export const NOUNS = list(`
answer apron arm autumn baby back bag bark beak beard bed belt bird birthday boy branch breakfast breeze brick bubble cage
child children circle clothes cloud club corner crowd dawn day dinner dirt dream dress dust ear earth edge engine evening
eye eyes face family fire flame floor flour flower fog foot friend frost fur game gift girl glue ground group guest hair
hand hay head heart hole home honour hour house ice idea inch ink job joke journey joy kiss knee knot lace leaf leg
lesson lid lightning line lunch man meal message metal milk minute mist money month moon morning mouth mud music
name neck nest news night noise noon north nose ocean page pain pair pancake party paw peace people person picture piece
place plan poem pocket present price prize problem promise puddle question race rain rainbow river rock roof room root
salt sand seed shade shadow shirt sign sister skirt sky smile smoke snow sock son song soil sound south spoon star stick
stone storm story string sugar summer sun sunset surprise tail tale team tear test thread thunder time toe tongue tooth
town trail treasure tree trick trip trouble voice walk wall wave way weather week west wind window wing winter wish wood
word work world year
`);
