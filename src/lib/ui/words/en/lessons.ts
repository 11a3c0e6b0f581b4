/** The frame of a lesson. What a lesson teaches is in its own folder. */
import { bytes } from '../../format.ts';

export const lessons = {
	lead: 'Each begins with a prediction. You commit to it, the model runs, and the measurement lands beside your guess.',
	minutes: (n: number): string => `About ${n} minutes.`,
	keysHint: 'left and right arrow to step',
	locked: 'methods and bytes are set',
	openLab: 'Open in the lab',
	none: (slug: string): string => `There is no lesson “${slug}”.`,
	noFile: (path: string, status: number): string => `the file ${path} answered ${status}`,
	stages: { predict: 'predict', commit: 'commit', reveal: 'reveal', explain: 'explain' },
	keysDo: { next: 'Next stage', before: 'Stage before', presenter: 'Presenter mode', leave: 'Leave presenter mode' },
	head: (minutes: number, stage: number, of: number): string => `Lesson, about ${minutes} minutes, stage ${stage} of ${of}`,
	said: (stage: number, name: string, doing: string): string => `Stage ${stage}: ${name}. ${doing}`,
	stageRuler: 'Stages of the lesson',
	stage: 'Stage',
	stageAt: (n: number, name: string): string => `${n}, ${name}`,
	stageName: (n: number, name: string): string => `${n} ${name}`,
	tryAgain: 'Try again',
	play: 'Play',
	class: {
		counted: 'The hands are counted. Press the right arrow to commit.',
		measured: 'Measured. Press the right arrow to see.',
		recorded: 'recorded run', here: 'measured here',
		qr: (address: string): string => `QR code: this stage of the lesson, ${address}`
	},
	atWork: (doing: string): string => `The model is at work: ${doing}.`,
	atWorkHere: (doing: string): string => `The model is at work here: ${doing}.`,
	measured: 'Measured. The discs can no longer move.',
	nothingYet: 'There is nothing to reveal yet.',
	keys: {
		toCommit: 'Go on to commit', placeFirst: 'Place every disc first', commit: 'Commit and run the model', reveal: 'Reveal',
		recorded: 'Take the recorded run', explain: 'Explain', lab: 'Open it in the lab', change: 'Change my guess'
	},
	run: {
		loading: 'loading the model',
		loaded: (loaded: number, total: number | undefined): string => `loading the model, ${bytes(loaded)}${total ? ` of ${bytes(total)}` : ''}`,
		reading: 'reading the prompt and making the cuts',
		writing: (word: number): string => `writing, word ${word}`,
		fetching: 'fetching the recorded run',
		chosen: 'You chose the recorded run.',
		couldNot: (why: string): string => `The model could not run here, so the recorded run is shown. ${why}`,
		noRecording: (why: string): string => `The recorded run cannot be read either (${why}). Check the connection and try again.`
	},
	link: {
		guess: 'The prediction in this link does not fit the lesson and was left out.',
		hands: 'The hands in this link do not fit the lesson and were left out.',
		stage: (name: string): string => `This lesson has no stage “${name}”; it begins at the start.`,
		unknown: (key: string): string => `The link says “${key}”, which this lesson does not know.`,
		first: 'The link opens a later stage, but a prediction comes first.'
	},
	guess: {
		axis: (title: string, max: number): string => `${title}, 0 to ${max}, upward`,
		slider: (choice: string, title: string): string => `${choice}: ${title}`,
		untilReveal: 'not shown until the reveal',
		untilCommit: 'not measured until you commit',
		hands: (n: number): string => `${n} hands`,
		noDisc: 'no disc yet',
		yours: 'your guess',
		all: 'everything stays',
		bars: 'Bars: what the model wrote, measured',
		discs: 'A digit on a red line is wrong; the corner flags the first. Discs: placed by you before the reveal; they stay where you left them.',
		placed: 'Discs: placed by you. They stay where you left them.',
		how: (max: number): string => `Click in a column, or focus it and press 0 to ${max} or the up and down arrows.`
	},
	outcome: {
		label: 'Outcome as a table',
		columns: ['policy', 'guess', 'right', 'wrote', 'bytes after the prompt', 'of full'],
		none: 'none'
	}
};
