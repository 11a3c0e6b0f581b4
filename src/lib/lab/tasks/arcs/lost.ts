import type { Arc } from './arc.ts';

export const LOST: Arc = {
	name: 'lost',
	beats: [
		[
			'{H} had {aT} and loved it more than anything else.',
			'The {T} was the best thing that {H} had.',
			'{F} had given {H} {aT}, and {he} took it everywhere.'
		],
		[
			'One morning the {T} was gone.|{H} looked under the bed, but it was not there.',
			'But one day {H} could not find the {T}.|It was not in the bag and not under the bed.',
			'One evening {H} came home without the {T}.|{He} must have lost it on the way.'
		],
		['{H} was very sad.', '{H} began to cry.', '"Where is my {T}?" cried {H}.', '{H} wanted the {T} back.'],
		[
			'"Do not cry," said {F}.|"We will look for it together."',
			'{F} heard this and said, "I will help you to find it."',
			'{H} told {F} about it, and {fe} wanted to help at once.'
		],
		[
			'First they went to the {P} and looked behind every stone.|They found only some leaves.',
			'First they searched the {P}.|There was nothing but grass and dust.',
			'They walked to the {P} and looked everywhere, but the {T} was not there.'
		],
		[
			'Then they met {aA} near the {Q}.|"Did you see {aT}?" asked {H}.',
			'On the way to the {Q} they saw {aA}.|"Please help us," said {H}.|"I have lost my {T}."',
			'At the {Q} sat {aA}.|{H} asked the {A} about the {T}.'
		],
		[
			'The {A} nodded and ran ahead.|{H} and {F} followed it as fast as they could.',
			'"I saw it this morning," said the {A}.|"Come with me!"',
			'The {A} thought for a moment and pointed the way to the {R}.',
			'"Something is shining at the {R}," said the {A}.|"I will show you."'
		],
		[
			'And there, at the {R}, lay the {T}.|It was a little dirty, but it was not broken.',
			'At the {R}, behind an old tree, they found the {T}.',
			'At the {R} {H} saw something in the grass.|It was the {T}!'
		],
		[
			'{H} jumped for joy and hugged {F}.',
			'{H} laughed and held the {T} with both hands.',
			'"Thank you!" said {H} to the {A}, and gave it some {food}.'
		],
		[
			'From that day on, {H} took good care of the {T}.',
			'After that {H} never lost the {T} again.',
			'In the evening {H} put the {T} beside the bed and slept well.'
		]
	]
};

export const ANIMAL: Arc = {
	name: 'animal',
	beats: [
		[
			'One day {H} walked past the {P} and heard a small voice.',
			'On the way to the {P}, {H} heard somebody crying.',
			'{H} was playing near the {P} when {he} heard a strange sound.'
		],
		[
			'It was {aA}.|Its foot was stuck between two stones.',
			'{H} looked around and saw {aA}.|It could not get out of a deep hole.',
			'Behind a bush {H} found {aA} with a hurt leg.'
		],
		[
			'"I want to help you," said {H} to the {A}.',
			'"Do not be afraid," whispered {H}.|"I will help you."',
			'{H} wanted to help the poor {A}.'
		],
		[
			'{He} tried and tried, but {he} was not strong enough.',
			'But when {he} came near, the {A} was afraid and cried even louder.',
			'But {he} did not know what to do alone.'
		],
		[
			'So {H} ran to {J}.|"Please come quickly!" {he} said.',
			'{H} hurried to {J} and told the whole story.',
			'Then {H} had an idea and ran to ask {J}.'
		],
		[
			'{J+} came with {M}.',
			'{J+} took {M} and followed {H} to the {P}.',
			'"You did well to ask me," said {J}, and brought {M}.'
		],
		[
			'Together they worked slowly and carefully, and soon the {A} was free.',
			'{H} held the {A} gently while {J} helped it.|After a while it could walk again.',
			'They used it with great care, and at last the {A} was safe.'
		],
		[
			'{H} gave the {A} some {food}.|It ate everything.',
			'The {A} was hungry, so {H} shared some {food} with it.',
			'"You must be thirsty," said {H} and brought some water for the {A}.'
		],
		[
			'After that the {A} followed {H} everywhere.',
			'From that day on, the {A} and {H} were friends.',
			'The next day the {A} came back and brought {H} a pretty feather.'
		],
		[
			'"A kind heart makes good friends," said {J}.',
			'{H} told {F} about it, and {fe} was proud of {him}.',
			'And {H} was happy that {he} had asked for help.'
		]
	]
};
