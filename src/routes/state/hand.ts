/** Edits by hand as changes of the page's experiment; where a run is live it runs again and reacts. */
import { withEdit } from '$lib/documents/edits.ts';
import type { Edit, Experiment } from '$lib/documents/experiment.ts';
import type { HandDesk } from '$lib/views/decision/hand.ts';

export interface HandHost {
	readonly experiment: Experiment;
	update(change: (now: Experiment) => Experiment, coalesce?: string): void;
	said: string;
	react(): void;
}

/** The experiment with other edits of one arm; an arm without any has no such list. */
export function withEdits(experiment: Experiment, arm: number, edits: readonly Edit[]): Experiment {
	return {
		...experiment,
		arms: experiment.arms.map((spec, i) => {
			if (i !== arm) return spec;
			const { edits: _, ...rest } = spec;
			return edits.length ? { ...rest, edits: [...edits] } : rest;
		})
	};
}

export function deskOf(lab: HandHost): HandDesk {
	const edits = (arm: number) => lab.experiment.arms[arm]?.edits ?? [];
	const change = (arm: number, next: Edit[], said: string) => {
		lab.update((now) => withEdits(now, arm, next));
		lab.said = said;
		lab.react();
	};
	return {
		edits,
		add: (arm, edit, said) => change(arm, withEdit(edits(arm), edit), said),
		remove: (arm, index) => change(arm, edits(arm).filter((_, i) => i !== index), '')
	};
}
