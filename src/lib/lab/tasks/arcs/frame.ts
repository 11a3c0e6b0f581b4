/** How a story opens and how it goes on to the next adventure. */
export const OPENINGS: (readonly string[])[] = [
	[
		'Once there was a {nature} {girl} named {H} who lived in {town}.',
		'Once upon a time, a {nature} {girl} named {H} lived in {town}.',
		'In {town} lived a {nature} {girl}.|{His} name was {H}.',
		'This is the story of {H}, a {nature} {girl} from {town}.'
	],
	[
		'{His} best friend was a {fgirl} named {F}.',
		'{H} had a good friend, and this friend was called {F}.',
		'Next door lived {F}, the best friend of {H}.',
		'{F} lived in the same street, and {H} liked {fim} very much.'
	]
];

export const TURNS: readonly string[] = [
	'Some days later there was a new adventure.',
	'One week later, something new happened.',
	'The next month brought a new story.',
	'But that was not the last adventure of {H} and {F}.',
	'Some time went by, and then there was something new to do.',
	'A few days later, {H} and {F} met again.',
	'When the next week began, {H} was full of new ideas.',
	'And this is what happened next in {town}.'
];
