/** Failures as a sentence with next actions. What they lose: nothing. */
import type { Experiment } from '$lib/documents/experiment.ts';
import type { WeightFormat } from '$lib/ops/index.ts';
import { modelName, readModelId } from '$lib/store/model-id.ts';
import { words } from '$lib/ui/words/index.ts';
import { failureKind, note, problem, sentenceOf, type Action, type Message } from './message.ts';
import { AbsentModel } from './kept.svelte.ts';

/** What the page can do about it. */
export interface Remedies {
	experiment: Experiment;
	/** The pictures show a recorded run. */
	recorded: boolean;
	canUndo: boolean;
	hub: string;
	/** A smaller form of the weights that makes a difference here. */
	smaller: WeightFormat | null;
	undo: () => void;
	reset: () => void;
	again: () => void;
	/** Opens the chooser, at a model if it is named. */
	choose: (id?: string) => void;
	nano: () => void;
	removeArm: () => void;
	takeSmaller: (format: WeightFormat) => void;
}

const NANO = 'nano';

export function explain(error: unknown, can: Remedies): Message {
	if (error instanceof AbsentModel) return absent(error.id, can);
	const kind = failureKind(error);
	const text = sentenceOf(error);
	if (kind === 'memory') return memory(text, can);
	const said = can.recorded ? `${text} ${words.running.recordedStays}` : text;
	if (kind !== 'document') return problem(said, { text: words.running.tryAgain, run: can.again });
	return problem(said, ...(can.canUndo ? [{ text: words.running.undoLast, run: can.undo }] : []), { text: words.running.toFirst, run: can.reset });
}

/** The model of an experiment is not in this browser. */
export function absent(id: string, can: Pick<Remedies, 'choose' | 'nano' | 'hub'>): Message {
	const { kind } = readModelId(id);
	const nano = { text: words.missing.nano, run: can.nano };
	if (kind === 'hub') return note(words.missing.hub(modelName(id), can.hub), { text: words.missing.look, run: () => can.choose(id) }, nano);
	const text = kind === 'path' ? words.missing.path(id) : words.missing.dropped(modelName(id));
	return note(text, { text: words.missing.choose, run: () => can.choose() }, nano);
}

function memory(text: string, can: Remedies): Message {
	const { recovery } = words;
	const { experiment, smaller } = can;
	const remedies: [string, Action | null][] = [];
	if (experiment.arms.length > 1) remedies.push([recovery.can.arm, { text: recovery.removeArm, run: can.removeArm }]);
	if (smaller) remedies.push([recovery.can.format, { text: recovery.smaller(smaller), run: () => can.takeSmaller(smaller) }]);
	remedies.push([recovery.can.shorter, null]);
	if (experiment.model !== NANO) remedies.push([recovery.can.nano, { text: recovery.nano, run: can.nano }]);
	const actions = remedies.flatMap(([, action]) => action ?? []);
	return problem(recovery.memory(text, remedies.map(([what]) => what)), ...actions, { text: words.running.tryAgain, run: can.again });
}
