import type { Arc } from './arc.ts';

export const JOURNEY: Arc = {
	name: 'journey',
	beats: [
		[
			'{H} had never been at the {R}, and {he} wanted to see it.',
			'"Somewhere behind the {P} is the {R}," said {F}.|{H} wanted to go there at once.',
			'{J+} told {H} how beautiful the {R} was.|{H} wanted to see it.'
		],
		[
			'{H} and {F} packed some {food} and left early in the morning.',
			'{F} came with {him}, and they took some {food} for the way.',
			'The next morning {H} and {F} put on their boots and started.'
		],
		[
			'They walked past the {P} and sang a song.',
			'The sun was shining, and the way to the {P} was easy.',
			'First they came to the {P}, where they had a rest.'
		],
		[
			'But then they came to a wide river, and there was no bridge.',
			'But behind it was a high wall, and they could not climb it.',
			'But suddenly thick fog came, and they did not know the way any more.'
		],
		[
			'"We must go home," said {F}.',
			'{H} sat down on a stone and sighed.',
			'{F} was afraid, and {H} held {fis} hand.'
		],
		[
			'Just then {aA} came along.|"What is wrong?" it asked.',
			'Then they heard a noise.|It was {aA}.',
			'Behind a tree stood {aA} and looked at them in a friendly way.'
		],
		[
			'{H} told the {A} everything and gave it some {food}.',
			'"We want to go to the {R}," said {H}, "but we cannot go on."',
			'"Can you help us?" asked {H}.'
		],
		[
			'"I know a secret path," said the {A}, and it led them.',
			'The {A} ran ahead, and they followed it along a narrow path.',
			'"Follow me," said the {A}.|"My family lives there."'
		],
		[
			'At last they reached the {R}.|It was even more beautiful than {H} had thought.',
			'And then they saw the {R} in the evening sun.',
			'Soon they stood at the {R} and laughed with joy.'
		],
		[
			'They sat down in the grass and were happy.',
			'They stayed until the first star came out, and the {A} brought them home.',
			'"Thank you, dear {A}," said {H}.|"We could not have done it without you."'
		]
	]
};

export const NIGHT: Arc = {
	name: 'night',
	beats: [
		[
			'{F} could stay at the house of {H} that night.',
			'It was a stormy evening, and {F} stayed at the house of {H}.',
			'{F} came to the house of {H} for the weekend.'
		],
		[
			'At night {H} heard a noise from the {N}.',
			'It was late, and {H} was in bed.|Then something knocked in the {N}.',
			'In the middle of the night a strange sound woke {H}.|It came from the {N}.'
		],
		[
			'{H} wanted to sleep, but the noise came again.',
			'{He} pulled the blanket over {his} head, but it did not stop.',
			'Knock, knock, knock, it went, again and again.'
		],
		[
			'{H} was scared and went to wake {F}.',
			'"{F}, are you awake?" whispered {H}.|"There is something in the {N}."',
			'{H} ran to {F}, because {he} did not want to be alone.'
		],
		[
			'{F} lit a lamp and took the hand of {H}.',
			'"Let us look together," said {F} and took a lamp.',
			'"Two are braver than one," said {F}.|{Fe} got up and took a candle.'
		],
		[
			'Slowly they opened the door of the {N}.',
			'They went to the {N} on their toes.',
			'Step by step they went through the dark house.'
		],
		[
			'The light fell on a big shadow on the wall.|{H} wanted to run away.',
			'Two bright eyes looked at them from a corner.',
			'Something moved behind a box, and {H} held {his} breath.'
		],
		[
			'But it was only {aS}!|It had come in through the window.',
			'Then {F} began to laugh.|It was {aS} that was looking for something to eat.',
			'Out came {aS}.|It was cold and more afraid than they were.'
		],
		[
			'"You poor thing," said {H} and gave it some {food}.',
			'{H} brought a warm blanket for the {S}.',
			'{H} was not scared any more and brought the {S} some {food}.'
		],
		[
			'The {S} ate and soon fell asleep.',
			'Soon the {S} was lying beside the warm stove.',
			'The {S} looked at {H} and closed its eyes.'
		],
		[
			'After that night {H} was no longer afraid of the dark.',
			'In the morning {H} and {F} took the {S} back to the {P}.',
			'"What we do not know looks bigger than it is," said {F}.'
		]
	]
};

/** The same way, but for a treasure: so the treasure has to be found. */
export const TREASURE: Arc = {
	name: 'treasure',
	beats: [
		[
			'{J+} told {H} about a treasure at the {R}.|{H} wanted to find it.',
			'{H} found an old map.|It showed a treasure at the {R}.',
			'"Once somebody hid a treasure at the {R}," said {J}.|{H} wanted to find it at once.'
		],
		...JOURNEY.beats.slice(1, 8),
		[
			'At last they reached the {R} and began to dig.',
			'At the {R} they dug between the roots of a very old tree.',
			'Soon they stood at the {R}.|They looked under every stone.'
		],
		[
			'Then {F} saw a small box in the ground.|In the box was {aT}.',
			'And there, in a hollow trunk, they found {aT}.',
			'After an hour {H} held an old box in {his} hands.|In it was {aT}.'
		],
		[
			'"We will share it," said {H}, and {F} was glad.',
			'"The best treasure is a good friend," said {F}.',
			'They brought the {T} home and showed it to everyone in {town}.'
		]
	]
};
