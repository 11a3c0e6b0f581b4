import type { Arc } from './arc.ts';

export const GIFT: Arc = {
	name: 'gift',
	beats: [
		[
			'Soon it was the birthday of {F}.|{H} wanted to buy {fim} {aT}.',
			'In a shop window {H} saw {aT}.|"That would be a fine present for {F}," {he} thought.',
			'{H} wanted to give {F} {aT}, because {fe} had always been so kind.'
		],
		[
			'But it cost ten coins, and {H} had only two.',
			'But {H} had no money at all.',
			'{He} counted {his} coins.|There were not enough.'
		],
		[
			'{H} thought about it all day.',
			'"How can I get the money?" {H} asked.',
			'{H} walked to the {P} and thought hard.'
		],
		[
			'At the {P} {he} met {J}, who looked very tired.',
			'Then {he} heard that {J} needed help.',
			'Near the {P} {J} was carrying heavy bags.'
		],
		[
			'"Can I work for you?" asked {H}.',
			'"Let me help you," said {H} at once.',
			'{H} offered to help.'
		],
		[
			'All day long {H} carried water, cleaned the {I} and fed the animals.',
			'{H} cleaned the whole {I} and did not rest before everything was shining.',
			'For three days {H} came every morning and worked in the {I}.'
		],
		[
			'"You worked very well," said {J} and gave {H} ten coins.',
			'{J+} was so pleased that {H} got a whole purse of coins.',
			'In the evening {J} thanked {H} and paid {him} well.'
		],
		[
			'{H} ran to the shop and bought the {T}.',
			'Now {H} could buy the {T}.|{He} wrapped it in {colour} paper.',
			'With the money {H} got the {T} and put a ribbon around it.'
		],
		[
			'{F} opened the parcel and was speechless.|"Is it really for me?" {fe} asked.',
			'When {F} saw the {T}, {fe} danced around the room.',
			'"This {T} is the best present I ever got," said {F}.'
		],
		[
			'{H} smiled, because giving was even nicer than getting.',
			'And {H} was glad about every hour of work.',
			'From then on, {F} always kept the {T} close.'
		]
	]
};

export const QUARREL: Arc = {
	name: 'quarrel',
	beats: [
		[
			'{H} and {F} found {aT} at the {P}.|Both of them wanted to have it.',
			'{F} had {aT}.|{H} wanted to play with it too.',
			'There was only one {T}, but {H} and {F} both wanted to play with it.'
		],
		[
			'"It is mine!" shouted {H}.|"No, it is mine!" shouted {F}.',
			'{H} pulled at one side and {F} pulled at the other side.',
			'"Give it to me!" said {H}, but {F} held it tight.'
		],
		[
			'Then there was a loud crack, and the {T} was broken.',
			'Suddenly the {T} fell on a stone and broke.',
			'The {T} flew through the air and broke in two.'
		],
		[
			'{F} ran away in tears.|{H} stood there alone.',
			'Now nobody had it.|{F} went home without a word.',
			'Both of them were quiet.|Then {F} turned around and left.'
		],
		[
			'{H} was ashamed.|The {T} was not as important as {F}.',
			'At home {H} could not eat and could not play.',
			'"What have I done?" thought {H}.'
		],
		[
			'{H} took the pieces to {J} and asked for help.',
			'So {H} went to {J} with the broken {T}.',
			'{J+} saw {H} and asked what was wrong.'
		],
		[
			'"We can mend it," said {J}.|"But you must say sorry by yourself."',
			'{J+} took {G}, and together they mended the {T}.',
			'With {G} and much patience they put the pieces together.'
		],
		[
			'Then {H} knocked at the door of {F}.|"I am sorry," {he} said.',
			'{H} brought the {T} to {F} and said, "Please forgive me."',
			'{H} found {F} at the {Q}.|"I was wrong," said {H}.'
		],
		[
			'"I am sorry too," said {F}, and they hugged.',
			'{F} wiped away the tears and smiled.',
			'"Let us share it," answered {F}.'
		],
		[
			'From then on, they took turns with the {T}.',
			'After that they never fought about {aT} again.',
			'They played together until it was dark, and nobody wanted to be first.'
		]
	]
};

export const LEARNING: Arc = {
	name: 'learning',
	beats: [
		[
			'{H} wanted to learn {skill}.',
			'All the other children knew {skill} well, but {H} had never learned {skill}.|{He} wanted to try it.',
			'"I want to be good at {skill}," said {H}.'
		],
		[
			'In {town} there was going to be a big show at the {P}.',
			'In one week there would be a contest at the {P}.',
			'Everyone would meet at the {P} on Sunday to see who was the best.'
		],
		[
			'{H} tried it alone, but it went wrong.',
			'The first time {H} fell and hurt {his} knee.',
			'{H} tried again and again, but it never worked.'
		],
		[
			'Some people laughed, and {H} wanted to hide.',
			'"I will never learn it," said {H} sadly.',
			'{H} threw {his} cap on the ground and was angry.'
		],
		[
			'But {J} had watched {him}.',
			'Then {J} sat down beside {H}.',
			'{F} took {H} to {J}, who was very good at it.'
		],
		[
			'"I fell a hundred times before I could do it," said {J}.|"Let me show you."',
			'"Start slowly," said {J}, "and do a little more every day."',
			'"You are too fast," said {J}.|"First breathe, then try."'
		],
		[
			'Every day after breakfast they practised together.',
			'{H} listened well and practised from morning to evening.',
			'{F} came to watch and clapped when something went well.'
		],
		[
			'Then the big day came, and {H} was nervous.',
			'On the big day the {P} was full of people.|{H} felt {his} heart beat.',
			'At last it was time.|{H} looked at {F}, and {fe} nodded.'
		],
		[
			'{H} took a deep breath and began, and everything went well.',
			'{H} did it just as {he} had practised, without one mistake.',
			'And this time it worked, from the first moment to the last.'
		],
		[
			'Everyone clapped, and {F} clapped the loudest.',
			'{H} won {aT} as a prize and showed it to {J}.',
			'"You see," said {J}, "it only needed time."'
		]
	]
};

export const STRANGER: Arc = {
	name: 'stranger',
	beats: [
		[
			'One cold evening an old man came to {town}.|The old man was tired and hungry.',
			'At the {P} sat an old man with a heavy bag.|The old man had come a long way.',
			'It was raining when an old man knocked at the door of {H}.'
		],
		[
			'"Do you have something to eat?" the old man asked.',
			'The old man wanted only a warm place and a piece of bread.',
			'The old man asked everyone for help, but nobody had time.'
		],
		[
			'{H} had only some {food} for dinner.',
			'{H} looked into the cupboard.|There were only some {food}.',
			'{H} was hungry too and had nothing but some {food}.'
		],
		[
			'"It is not much," said {H}, "but we can share."',
			'But {H} invited the old man and gave him half of the {food}.',
			'{H} thought for a moment and gave the old man the bigger part.'
		],
		[
			'They ate together, and the old man told them about the {R}.',
			'{F} made a fire, and they listened to the stories of the old man.',
			'The old man slept beside the stove, and {F} gave him a blanket.'
		],
		[
			'In the morning the old man was gone, but on the table lay {aT}.',
			'"I have no money," said the old man.|"But take this {T}."',
			'Before he left, the old man gave {H} {aT}.'
		],
		[
			'"You will need the {T} one day," the old man had said.',
			'{H} did not know what the {T} was good for, but {he} kept it.',
			'"What a strange present," said {F}.'
		],
		[
			'Some days later {H} got lost in the fog near the {Q}.|It grew dark.',
			'Not long after that, {H} lost the way at the {Q}.|There was nobody to ask.',
			'One week later {H} was alone at the {Q} when it began to snow.'
		],
		[
			'Then {he} remembered the {T}.|When {he} held it up, it began to glow and showed the way.',
			'{H} took the {T} out of the bag, and it shone like a star.|Now {he} could see the path.',
			'{H} held the {T} tight.|It grew warm and turned to the left, where the path was.'
		],
		[
			'{F} was waiting at the door.|"The old man knew," said {F}.',
			'At home {H} told {F} about it.|"Those who share are never poor," said {F}.',
			'So {H} came home safely and never forgot the old man.'
		]
	]
};
