import type { Arc } from './arc.ts';

export const COOKING: Arc = {
	name: 'cooking',
	beats: [
		[
			'It was the birthday of {F}.|{H} wanted to make {aD} for {fim}.',
			'{F} had a cold and had to stay in bed.|{H} wanted to cook {aD} for {fim}.',
			'{H} wanted to surprise {F} with {aD}.'
		],
		[
			'{H} looked into the cupboard.|{He} found almost everything, but no {ing}.',
			'In the kitchen {H} found a big pot and a spoon.|But {he} could not find any {ing}.',
			'"For a good {D} I need {ing}," said {H}.|But the cupboard was empty.'
		],
		[
			'"What can I do now?" thought {H}.|The shop was already closed.',
			'{H} ran to the shop, but {he} did not get any {ing}.',
			'Without {ing} the {D} would not taste good.|{H} sat down and sighed.'
		],
		[
			'Then {he} remembered {J}, who was always friendly.',
			'Just then {J} walked past the house.',
			'On the way home from the {P}, {H} met {J}.'
		],
		[
			'"Could you give me some {ing}?" asked {H}.',
			'"Please, do you have some {ing}?" asked {H}.|"I want to make {aD} for {F}."',
			'{H} told {J} about the {D}.'
		],
		[
			'"Of course," said {J} and gave {H} a whole basket of {ing}.',
			'{J+} smiled and brought a bowl full of {ing}.',
			'"Take what you need," said {J}.|"You helped me last week, and I did not forget it."'
		],
		[
			'{H} hurried home and began to cook.|{He} stirred and stirred.',
			'Back at home {H} put everything together and worked for an hour.',
			'Soon the whole house smelled of {D}.'
		],
		[
			'When the {D} was ready, {H} carried it to {F}.',
			'At last the {D} stood on the table.|{F} came in and could not believe it.',
			'In the evening {H} knocked at the door of {F} with the warm {D}.'
		],
		[
			'"This is the best {D} in the world," said {F}.',
			'{F} ate three plates and laughed with joy.',
			'{F} hugged {H} and said, "What a nice surprise!"'
		],
		[
			'They gave a big piece to {J} too.',
			'They ate together until the moon came out.',
			'And of course {J} was invited to eat with them.'
		]
	]
};

export const BUILDING: Arc = {
	name: 'building',
	beats: [
		[
			'{H} wanted to build {aB} at the {P}.',
			'"Let us build {aB}!" said {H} to {F}.',
			'One day {H} dreamed of {aB}.|"I will build one," {he} said.'
		],
		[
			'{He} drew a plan and collected old boards.',
			'{H} and {F} carried wood to the {P} all morning.',
			'{F} brought a hammer, and {H} brought some nails.'
		],
		[
			'But when it was half done, a storm came and broke everything.',
			'But the wood was too heavy, and the {B} fell down again and again.',
			'But soon there was no wood left, and the {B} was not finished.'
		],
		[
			'{H} was disappointed and wanted to give up.',
			'"It is no use," said {H}.',
			'{H} looked at the pieces and did not know what to do.'
		],
		[
			'"Wait," said {F}.|"Let us ask {J}."',
			'Then {J} came by and looked at the {B}.',
			'But {F} had an idea and went to get {J}.'
		],
		[
			'{J+} showed them how to use {M}.',
			'"You need {M}," said {J}.|"I have some at home."',
			'{J+} laughed in a friendly way and gave them {M}.'
		],
		[
			'They started again, and this time they worked slowly and carefully.',
			'Step by step the {B} grew.|{H} worked at the front and {F} at the back.',
			'All three worked until the sun went down.'
		],
		[
			'At last the {B} was finished.|It was bigger than {H} had dreamed.',
			'In the end the {B} stood there, strong and beautiful.',
			'"It is ready!" shouted {H}, and they all clapped.'
		],
		[
			'Then they painted it {colour}.',
			'{aA+} came to look at it and did not want to leave.',
			'{F} put a big {colour} flag on it.'
		],
		[
			'"We did it because we did not give up," said {H}.',
			'From then on, they played there every day.',
			'{H} was proud, and everyone in {town} came to see the {B}.'
		]
	]
};

export const GARDEN: Arc = {
	name: 'garden',
	beats: [
		[
			'{J+} gave {H} a tiny seed.|"Take good care of it," {J} said.',
			'{H} found a strange seed near the {P} and wanted to know what would grow from it.',
			'Then {F} gave {H} a seed.|{H} wanted to see a {plant} grow.'
		],
		[
			'{H} dug a hole behind the house and put the seed into the ground.',
			'{H} planted the seed in a pot at the window.',
			'{He} chose a sunny place and planted it there.'
		],
		[
			'Every day {he} watered it, but nothing happened.',
			'One week went by, and then another, but there was only earth.',
			'{H} waited and waited, but there was nothing to see.'
		],
		[
			'"Maybe the seed is bad," said {H} sadly.',
			'{H} was sad and wanted to throw it away.',
			'"Why does it not grow?" asked {H}.'
		],
		[
			'"Be patient," said {F}.|"Good things need time."',
			'{F} looked at the ground and said, "It needs more sun and a little song."',
			'But {F} said, "Do not stop now.|It is still sleeping."'
		],
		[
			'So {H} sang a song every evening and did not forget the water.',
			'So {H} went on, in sun and in rain.',
			'{H} trusted {F} and came back every morning.'
		],
		[
			'Then, after a warm night, there was a small green leaf.',
			'And one morning something green looked out of the ground.',
			'At last {H} saw a tiny green point.'
		],
		[
			'It grew and grew, and after some time it was a beautiful {plant}.',
			'Day after day it grew higher.|It was a {plant}!',
			'Soon it was a {plant}, and even {aA} came to smell it.'
		],
		[
			'{H} danced around it and called {F}.',
			'{H} was so happy that {he} ran to {F} at once.',
			'"Look, {F}, you were right!" said {H}.'
		],
		[
			'{H} kept a new seed for the next year.',
			'Now {H} knew that waiting can be worth it.',
			'And {H} gave {F} the first flower.'
		]
	]
};
