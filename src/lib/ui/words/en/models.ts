/** Models: the line that names the one in use, the chooser, what is kept, and what fits. */
import { bytes, count } from '../../format.ts';
import { plural } from './grammar.ts';

const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const either = new Intl.ListFormat('en-GB', { type: 'disjunction' });

type Backend = 'webgpu' | 'wasm' | 'cpu';
type Format = 'f32' | 'f16' | 'int8' | 'int4';

const backends: Record<Backend, string> = { webgpu: 'WebGPU', wasm: 'WebAssembly', cpu: 'JavaScript' };
const formats: Record<Format, string> = { f32: '32-bit', f16: '16-bit', int8: '8-bit', int4: '4-bit' };

/** The line beside the prompt. */
export const modelLine = {
	notLoaded: 'not loaded yet',
	here: (backend: Backend): string => `${backends[backend]}, running here`,
	stopped: (backend: Backend): string => `${backends[backend]}, measured here, no longer running`,
	recorded: (backend: Backend): string => `recorded run, ${backends[backend]}`,
	weights: (n: number): string => `${(n / 1e6).toFixed(1)} M weights`,
	shape: (layers: number, kvHeads: number, headDim: number): string => `${layers} layers × ${kvHeads} KV heads × ${headDim}`,
	perToken: 'ms a token',
	promptTokens: (n: number): string => `${count(n)} prompt tokens`,
	software: (adapter: string): string => `A software adapter, not a graphics card: ${adapter}`,
	other: (name: string): string => `The next run uses ${name}.`,
	choose: 'Choose a model',
	loading: (loaded: number, total: number): string => `Loading the model: ${bytes(loaded)}${total ? ` of ${bytes(total)}` : ''}`,
	starting: 'Starting the engine',
	reading: 'Reading the prompt and compressing its cache',
	repeating: 'Taking the run to where it was',
	loadingLabel: 'Loading the model', readingLabel: 'Reading the prompt'
};

/** What is being fetched, wherever it is shown. */
export const download = {
	of: (loaded: number, total: number): string => `${bytes(loaded)} of ${bytes(total)}`,
	fetching: (name: string): string => `Fetching ${name}`,
	copying: (name: string): string => `Copying ${name} into this browser`,
	heard: (title: string, percent: number): string => `${title}: ${percent} percent`,
	waiting: 'Another tab is fetching this model. This one waits, and takes it when it is there.',
	done: (name: string): string => `${name} is here.`,
	stopped: (name: string): string => `Stopped. What has arrived of ${name} is kept.`,
	deleted: (name: string): string => `${name} is deleted.`
};

export const chooser = {
	title: 'Choose a model',
	about: 'It runs in this page. Nothing that you type leaves this machine.',
	all: 'All models',
	use: 'Use it',
	using: 'in use',
	delete: 'Delete',
	deleteThis: (name: string): string => `Delete ${name}`,
	look: 'Look',
	lookAt: (name: string): string => `Look at ${name}`,
	useThis: (name: string): string => `Use ${name}`,
	site: 'Part of this site',
	nano: 'Trained by us on simple English stories, facts, conversations and sums. It needs no download from elsewhere.',
	kept: 'Kept in this browser',
	keptNone: 'Nothing yet. What you fetch or drop stays here until you delete it.',
	keptHere: (n: number): string => bytes(n),
	keptPart: (here: number, all: number): string => `${bytes(here)} of ${bytes(all)}, not whole`,
	isKept: 'kept here',
	/** Milliseconds since 1970. */
	used: (when: number): string => `used ${day.format(when)}`,
	space: (used: number, quota: number): string => `${bytes(used)} in use of the ${bytes(quota)} that the browser allows this site.`,
	memoryOnly: 'This browser lets the page keep nothing, so models are gone when the tab is closed.',
	hub: 'From the Hugging Face Hub',
	hubAbout: 'Layouts that this page can read. Sizes are looked up when you choose one; nothing is fetched before you say so.',
	facts: (layers: number, heads: number, kvHeads: number, context: number): string => `${layers} layers · ${heads}/${kvHeads} heads · ${count(context)} tokens`,
	kind: { base: 'writes on', chat: 'answers' },
	other: 'Another repository',
	otherExample: 'ORG/NAME',
	otherWrong: 'That is no repository: it is ORG/NAME, such as HuggingFaceTB/SmolLM2-135M.',
	address: 'Address of the hub',
	addressAbout: (normal: string): string => `For mirrors. Empty means ${normal}.`,
	addressWrong: 'That is no address: it begins with https://.',
	own: 'Files of your own',
	ownAbout: 'Drop them anywhere on the page: a folder with config.json, tokenizer.json and safetensors, or one GGUF file. They are read where they lie.',
	files: 'Choose files',
	folder: 'Choose a folder',
	drop: 'Drop the model’s files',
	dropAbout: 'A folder with config.json, tokenizer.json and safetensors, or one GGUF file.'
};

/** One model, looked at before it is fetched or loaded. */
export const weighing = {
	looking: (name: string): string => `Looking ${name} up`,
	measuring: 'Working out what it needs',
	origin: 'From', filesTitle: 'Files',
	files: (n: number, size: number): string => `${plural(n, 'file')}, ${bytes(size)}`,
	commit: (id: string): string => `commit ${id.slice(0, 8)}`,
	architecture: 'Architecture', shape: 'Layers and heads', context: 'Context',
	layers: (layers: number, heads: number, kvHeads: number): string => `${layers} layers, ${heads} query heads on ${kvHeads} KV heads`,
	tokens: (n: number): string => `${count(n)} tokens`,
	memory: 'Memory it takes here',
	memoryFor: (rows: number, context: number): string => `for ${rows} rows of ${count(context)} tokens, as the experiment is set`,
	parts: { weights: 'weights', cache: 'caches', working: 'working space' },
	format: 'Weights as',
	formats,
	/** Why there is only one format. */
	oneFormat: (backend: Backend): string => `${backends[backend]} holds weights in 32 bits, whatever the file has.`,
	limit: (n: number): string => `what there is, ${bytes(n)}`,
	useAgain: 'Use it as set here',
	total: (n: number): string => `about ${bytes(n)}`,
	unknown: 'What it needs of the memory is known once its file is here: a GGUF file carries its own description.',
	tight: 'It should fit, but takes more than half of what this machine has; other tabs may have to make room.',
	refused: {
		tensor: (needs: number, has: number): string => `It does not fit: its largest tensor takes ${bytes(needs)}, and this graphics device allows ${bytes(has)} for one.`,
		wasm: (needs: number, has: number): string => `It does not fit: it takes ${bytes(needs)}, and WebAssembly can address ${bytes(has)}.`,
		memory: (needs: number, has: number): string => `It does not fit: it takes ${bytes(needs)}, and this machine has ${bytes(has)}.`
	},
	smaller: (format: Format, size: number): string => `With ${formats[format]} weights it takes ${bytes(size)} and fits.`,
	takeSmaller: (format: Format): string => `Take ${formats[format]} weights`,
	nothingSmaller: 'No smaller form of its weights fits either. Choose a smaller model.',
	fewerArms: 'Fewer arms or a shorter prompt take less.',
	noRoom: (needs: number, free: number): string => `The browser has ${bytes(free)} left for this site, and the model takes ${bytes(needs)}. Delete a model that is kept.`,
	fetch: (size: number): string => `Download ${bytes(size)}`,
	goOn: (left: number): string => `Download the other ${bytes(left)}`,
	keep: 'Keep it in this browser',
	keepAbout: 'Otherwise it has to be dropped again after a reload.'
};

/** An experiment whose model is not here. */
export const missing = {
	hub: (name: string, origin: string): string => `This experiment uses ${name}, which is not in this browser. Nothing is fetched from ${origin} before you say so.`,
	dropped: (name: string): string => `This experiment uses ${name}, a model that somebody dropped on the page as files. Drop the same files here, or choose another model.`,
	path: (id: string): string => `This experiment uses ${id}, a folder of another machine: it runs from the command line only. Choose another model.`,
	look: 'See what it takes', choose: 'Choose a model', nano: 'Use nano instead'
};

/** Things that go wrong with the machine, and what is done about it. */
export const recovery = {
	again: (why: string, steps: number): string => `${why} The model is loaded again${steps > 0 ? ` and the run repeated up to step ${steps}` : ''}.`,
	done: (why: string, steps: number): string => `${why} Everything was loaded again${steps > 0 ? ` and the run repeated up to step ${steps}, with the same words` : ''}.`,
	differs: (why: string, step: number): string => `${why} The run was repeated, but writes another word from step ${step} on: another engine is in use now.`,
	twice: (why: string): string => `${why} It was lost again right after it had been loaded anew, so this page stops trying. The experiment is kept.`,
	memory: (why: string, can: readonly string[]): string => `${why} Everything that the run held is freed; the experiment is kept.${can.length ? ` You can ${either.format(can)}.` : ''}`,
	can: { arm: 'run fewer arms', shorter: 'shorten the prompt', format: 'take smaller weights', nano: 'use nano' },
	removeArm: 'Remove the last arm', smaller: (format: Format): string => `Take ${formats[format]} weights`, nano: 'Use nano',
	hidden: 'The run went on while this tab was hidden.'
};

/** What the page says while it runs. */
export const running = {
	complete: (steps: number): string => `The run is complete after ${steps} steps.`,
	paused: (steps: number): string => `Paused after ${steps} steps.`,
	runComplete: 'The run is complete.', recordedEnds: 'The recorded run ends here.',
	cancelled: 'Cancelled.', undone: 'Undone.', redone: 'Done again.',
	recordedStays: 'The recorded run stays on the page.',
	nameless: 'Something went wrong that has no name',
	tryAgain: 'Try again', undoLast: 'Undo the last change', toFirst: 'Back to the first experiment',
	sameNumbers: 'Your numbers match those of the author of this link.',
	otherNumbers: (step: number): string => `Your numbers differ from the author's from step ${step} on: another engine or another version of the model.`
};

/** Opening a link. */
export const opened = {
	leftOut: (notices: readonly string[]): string => `The link was opened, with something left out. ${notices.join('. ')}.`,
	stale: 'The link was opened. The pictures still show the recorded run; run the experiment to see its own.',
	runHere: 'Run it here',
	broken: (why: string): string => `${why} The first experiment is shown instead.`
};
