/** The page round the pictures: its name, keys, figures' frames and notes. */
import { count } from '../../format.ts';
import { terms } from './terms.ts';

export const name: string = 'Winnow';
export const tagline: string = 'What a language model keeps, and what it loses, when its memory is made smaller';

export const nav = { lab: 'Lab', lessons: 'Lessons', methods: 'Methods', compare: 'Compare', skip: 'Skip to the pictures', label: 'Pages' };

export const actions = {
	undo: 'Undo', redo: 'Redo', share: 'Share link', present: 'Present', exit: 'Exit', keys: 'Keys',
	run: 'Run', pause: 'Pause', step: 'Step', back: 'Back', reset: 'Reset', cancel: 'Cancel', close: 'Close',
	closeMessage: 'Close this message', edit: 'Edit', duplicate: 'Duplicate', remove: 'Remove', next: 'Next', done: 'Done',
	change: 'Change', copy: 'Copy'
};

/** Names of keys that are not a sign. */
export const keyNames: Record<string, string> = {
	' ': 'Space', Escape: 'Esc', Enter: 'Enter', ArrowLeft: 'Left', ArrowRight: 'Right', ArrowUp: 'Up', ArrowDown: 'Down'
};

export const theme = {
	system: 'System colours', light: 'Light', dark: 'Dark',
	label: (now: string): string => `Theme: ${now}. Press for the next`
};

export const figure = {
	number: (n: string): string => `fig. ${n}`,
	maximize: 'Maximize',
	restore: 'Back to the page',
	/** Name of the key that makes a figure large. */
	large: (action: string, title: string, n: string): string => `${action}: ${title}, key ${n}`,
	largeHint: (action: string, n: string): string => `${action} (key ${n})`,
	table: 'Table behind the picture',
	tableOf: (title: string): string => `Table behind the picture: ${title}`,
	firstRows: (shown: number, all: number): string => `The first ${shown} of ${count(all)} rows; the files hold all.`,
	menu: (title: string): string => `Files of this figure: ${title}`,
	files: 'Files',
	svg: 'Picture as SVG',
	png: 'Picture as PNG',
	csv: 'Numbers as CSV',
	json: 'Numbers as JSON',
	notSaved: (why: string): string => `The picture could not be saved: ${why} Try another browser, or save the numbers.`,
	/** Where a picture's numbers come from; `arms`: the labels, in order. */
	origin: (recorded: boolean, model: string, backend: string, arms: { letter: string; label: string }[]): string =>
		`${recorded ? 'A recorded run' : 'Measured in a browser'}: ${model}, ${backend}. Arms beside the full cache: ${arms.map((a) => `${a.letter} ${a.label}`).join(', ')}.`
};

/** Where a picture's numbers are awaited, missing or could not be computed. `what`: "the attention of this head". */
export const probe = {
	notRecorded: (what: string): string => `The recording does not hold ${what}. Run the experiment here to see it.`,
	absent: (what: string): string => `This run cannot give ${what}.`,
	failed: (what: string, why: string): string => `Could not compute ${what}: ${why}. Choose another head, or run again.`,
	loading: (what: string): string => `Computing ${what}…`
};

export const keysDialog = {
	title: 'Keys', about: 'They work anywhere on the page except while you type.', key: 'Key', does: 'What it does'
};

export const keysDo = {
	run: 'Run, pause', on: 'One step on', back: 'One step back',
	beside: 'Look at the token beside (with Shift eight on)', above: 'Look at the head above or below',
	lock: 'Lock what is looked at', escape: 'Back from a large figure; clear what is selected',
	large: (title: string): string => `${title}, large`,
	presenter: 'Presenter mode: large type, two figures', list: 'This list'
};

export const shareDialog = {
	title: 'A link that opens exactly this',
	about: 'It carries the prompt, the seed, the arms with their parameters and what is selected. Nothing is stored anywhere else.',
	link: 'Link', copied: 'Copied.', refused: 'The browser did not allow copying. Select the link and copy it by hand.',
	qr: 'QR code of the link', tooLong: 'The link is too long for a QR code.'
};

export const selected = {
	looking: 'Looking at', locked: 'Selected', noToken: 'no token', token: terms.token, layer: terms.layer, kvHead: terms.kvHead,
	queryHead: 'query head', step: terms.step, arm: 'arm',
	hover: 'hover previews, click locks', arrows: 'arrows move, Enter locks', clears: 'clears'
};
