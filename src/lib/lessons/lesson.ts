/**
 * A lesson: predict, commit, reveal, explain, then play. A lesson is a folder with its experiment,
 * its words and how its outcome is read from a trace; the frame around it is the same for all.
 */
import type { Component } from 'svelte';
import type { Experiment } from '$lib/documents/experiment.ts';
import type { Trace, TraceSource } from '$lib/documents/trace.ts';
import type { Part } from '$lib/ui/parts.ts';

export const STAGES = ['predict', 'commit', 'reveal', 'explain'] as const;
export type StageId = (typeof STAGES)[number];

export type Paragraph = readonly Part[];

/** One thing to predict about: an arm of the experiment, in the same order. */
export interface Choice {
	/** Short name, as on the arm. */
	name: string;
	/** What it does, a few words without the answer. */
	rule: string;
}

/** What the reader predicts: a whole number from 0 to `max` for each choice. */
export interface Axis {
	/** Name of the axis, with its direction in words. */
	title: string;
	max: number;
	/** A value in words, e.g. "3 of 4 digits". */
	words(value: number): string;
}

/** The outcome of one row, read from the trace. */
export interface Measured {
	value: number;
	/** What the row wrote, piece by piece. */
	pieces: { text: string; right: boolean }[];
}

export interface Outcome {
	reference: Measured;
	arms: Measured[];
}

/** The reader's discs, one a choice; null is not yet placed. */
export type Guess = (number | null)[];

export interface Lesson {
	slug: string;
	title: string;
	/** The question, also the title in presenter mode. */
	question: string;
	/** One sentence for the list of lessons. */
	about: string;
	minutes: number;
	experiment: Experiment;
	/** File of the recorded run, below the site's root. */
	recording: string;
	axis: Axis;
	choices: Choice[];
	/** Before anything is measured. The prompt may be shown; the outcome is not known here. */
	predict: Paragraph[];
	commit: Paragraph[];
	outcome(trace: Trace): Outcome;
	/** What became of the prediction, in words. */
	verdict(guess: Guess, outcome: Outcome): Paragraph;
	/** After the verdict. */
	reveal(trace: Trace, outcome: Outcome): Paragraph[];
	explain(trace: Trace, outcome: Outcome): Paragraph[];
	/** The point in one line, for the class. */
	point(trace: Trace, outcome: Outcome): Paragraph;
	/** One line for the class, before and after the reveal. */
	hands(hands: readonly number[], outcome: Outcome | null): Paragraph;
	/** Pictures below the explanation, and of the prompt before it. */
	Prompt?: Component;
	Evidence?: Component<{ source: TraceSource; outcome: Outcome }>;
	/** What the lab looks at when the lesson is played on. */
	look(trace: Trace | null): Record<string, number>;
	/** What to try there. */
	play: Paragraph[];
}
