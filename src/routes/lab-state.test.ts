import { describe, expect, it } from 'vitest';
import type { Experiment } from '$lib/documents/experiment.ts';
import { decodeLink, encodeLink } from '$lib/share/link.ts';
import { syntheticTrace } from '$lib/views/testing/synthetic.ts';
import { FIRST_EXPERIMENT } from './experiments.ts';
import { firstLook } from '$lib/documents/read.ts';
import { makeLab as make } from './state/testing.ts';

describe('the lab page', () => {
	it('shows the recorded run first, with its experiment', () => {
		const { lab } = make();
		expect(lab.trace?.provenance).toBe('recorded');
		expect(lab.experiment.arms).toHaveLength(4);
		expect(lab.stale).toBe(false);
		expect(lab.live).toBe(false);
		expect(lab.selection.position).toBe(lab.trace?.prompt.needles[0][0]);
	});

	it('keeps every change in history and address, and a dragged slider as one', () => {
		const { lab, hashes } = make();
		const before = lab.experiment;
		for (const tokens of [5, 6, 7]) lab.update((now) => ({ ...now, generate: { ...now.generate, tokens } }), 'slider');
		lab.settle();
		lab.update((now) => ({ ...now, arms: now.arms.slice(1) }));
		expect(lab.stale).toBe(true);
		expect(decodeLink(hashes[hashes.length - 1]).experiment.arms).toHaveLength(3);
		lab.undo();
		expect(lab.experiment.arms).toHaveLength(4);
		expect(lab.experiment.generate.tokens).toBe(7);
		lab.undo();
		expect(lab.experiment).toEqual(before);
		expect(lab.canUndo).toBe(false);
		lab.redo();
		expect(lab.experiment.generate.tokens).toBe(7);
	});

	it('does nothing for a change that changes nothing', () => {
		const { lab, hashes } = make();
		lab.update((now) => ({ ...now }));
		expect(lab.canUndo).toBe(false);
		expect(hashes).toEqual([]);
	});

	it('loads, reads, runs to the end, and replaces the recorded run', async () => {
		const { lab, client } = make();
		await lab.run();
		expect(client.calls.slice(0, 3)).toEqual(['load synthetic', 'start', 'advance']);
		expect(lab.trace?.provenance).toBe('measured');
		expect(lab.trace?.reference.steps).toHaveLength(12);
		expect(lab.finished).toBe(true);
		expect(lab.activity).toBe('idle');
		// A second run does not load again.
		await lab.run();
		expect(client.calls.filter((call) => call.startsWith('load'))).toHaveLength(1);
	});

	it('pauses after the present step and goes on from there', async () => {
		const { lab, client } = make();
		const running = lab.run();
		client.listeners.add((trace) => { if (trace.reference.steps.length === 3) lab.pause(); });
		await running;
		expect(lab.trace?.reference.steps).toHaveLength(3);
		expect(lab.said).toMatch(/Paused after 3 steps/);
		await lab.run();
		expect(lab.trace?.reference.steps).toHaveLength(12);
		expect(client.calls.filter((call) => call === 'start')).toHaveLength(1);
	});

	it('steps back and forth in what is there before it computes', async () => {
		const { lab, client } = make();
		lab.back();
		expect(lab.selection.step).toBe(10);
		await lab.step();
		expect(lab.selection.step).toBeNull();
		expect(client.calls).toEqual([]);
		await lab.step();
		expect(lab.said).toMatch(/ends here/);
	});

	it('cancels the loading of the model and keeps what was drawn', async () => {
		const { lab, client } = make();
		let open = () => {};
		client.gate = new Promise((resolve) => (open = resolve));
		const running = lab.run();
		await Promise.resolve();
		await Promise.resolve();
		expect(lab.activity).toBe('loading');
		lab.pause();
		expect(client.calls).toContain('abort');
		open();
		await running;
		expect(lab.activity).toBe('idle');
		expect(lab.trace?.provenance).toBe('recorded');
		expect(client.calls).not.toContain('start');
	});

	it('turns a failure into a sentence with a next action, and keeps the experiment', async () => {
		const { lab, client } = make();
		lab.update((now) => ({ ...now, prompt: { text: 'my own words' } }));
		client.fail = Object.assign(new Error('prompt: 2000 tokens, but nano reads at most 1536'), { kind: 'document' });
		await lab.run();
		expect(lab.message?.kind).toBe('problem');
		expect(lab.message?.text).toMatch(/at most 1536\. /);
		expect(lab.message?.actions[0].text).toMatch(/Undo/);
		expect(lab.experiment.prompt).toEqual({ text: 'my own words' });
		expect(lab.activity).toBe('idle');
	});

	it('starts the thread anew after it died', async () => {
		const { lab, client } = make();
		client.fail = Object.assign(new Error('The computing thread stopped.'), { kind: 'crash' });
		await lab.run();
		// Once more by itself, then it is said.
		expect(client.calls.filter((call) => call === 'dispose')).toHaveLength(2);
		expect(lab.message?.text).toMatch(/computing thread stopped\. It was lost again.*The recorded run stays/);
		client.fail = null;
		client.calls = [];
		await lab.run();
		expect(client.calls[0]).toMatch(/^load/);
		expect(lab.finished).toBe(true);
	});

	it('opens a link, selection and all', () => {
		const { lab } = make();
		lab.selection.lock({ position: 7, layer: 2, head: 0 });
		lab.update((now) => ({ ...now, generate: { ...now.generate, tokens: 5 } }));
		const link = lab.link();
		const other = make();
		other.lab.open(link);
		expect(other.lab.experiment.generate.tokens).toBe(5);
		expect(other.lab.selection.position).toBe(7);
		expect(other.lab.selection.locked).toEqual(lab.selection.locked);
		expect(other.lab.message?.text).toMatch(/run the experiment/);
	});

	it('says what it left out of a link, and shows the first experiment for a broken one', () => {
		const { lab } = make();
		lab.open(encodeLink({ ...FIRST_EXPERIMENT, colour: 'blue' } as unknown as Experiment));
		expect(lab.message?.text).toMatch(/left out/);
		const broken = make();
		broken.lab.open(encodeLink(FIRST_EXPERIMENT).slice(0, 40));
		expect(broken.lab.message?.kind).toBe('problem');
		expect(broken.lab.message?.text).toMatch(/cut off|garbled/);
		expect(broken.lab.experiment.arms).toHaveLength(4);
		broken.lab.open('#content');
		expect(broken.lab.experiment.arms).toHaveLength(4);
	});

	it('goes back to the first experiment, and undo brings the other one back', () => {
		const { lab } = make();
		lab.update((now) => ({ ...now, arms: [] }));
		lab.reset();
		expect(lab.experiment.arms).toHaveLength(4);
		lab.undo();
		expect(lab.experiment.arms).toHaveLength(0);
	});
});

describe('the first look', () => {
	it('falls on the answer, where heads disagree about it', () => {
		const trace = syntheticTrace();
		const look = firstLook(trace);
		expect(look.position).toBe(trace.prompt.needles[0][0]);
		expect(trace.arms[0].kept[look.layer][look.head]).not.toContain(look.position);
		expect(trace.arms[0].kept[look.layer].some((kept) => kept.includes(look.position!))).toBe(true);
		expect(firstLook({ ...trace, prompt: { ...trace.prompt, needles: [] } }).position).toBeNull();
	});
});
