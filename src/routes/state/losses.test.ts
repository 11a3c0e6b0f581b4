import { describe, expect, it } from 'vitest';
import type { Experiment } from '$lib/documents/experiment.ts';
import { LabError } from '$lib/worker/failures.ts';
import { FIRST_EXPERIMENT } from '../experiments.ts';
import { encodeLink } from '$lib/share/link.ts';
import { lost, makeLab } from './testing.ts';

const after = (steps: number, error: Error) => [...Array<null>(steps).fill(null), error];

describe('a lost graphics device', () => {
	it('is replaced in the middle of a run, which comes back to its step and goes on to its end', async () => {
		const { lab, client } = makeLab();
		const drawn: number[] = [];
		client.failing = after(5, lost());
		const tell = client.tell.bind(client);
		client.tell = () => (tell(), drawn.push(lab.trace!.reference.steps.length));
		await lab.run();
		expect(client.calls.filter((call) => call.startsWith('load'))).toHaveLength(2);
		expect(client.calls.filter((call) => call === 'dispose')).toHaveLength(1);
		expect(lab.trace?.reference.steps).toHaveLength(12);
		expect(lab.finished).toBe(true);
		expect(lab.activity).toBe('idle');
		expect(lab.message).toMatchObject({ kind: 'note', text: 'The graphics device was lost (driver reset). Everything was loaded again and the run repeated up to step 5, with the same words.' });
		// What was drawn never went back.
		expect(drawn[0]).toBe(0);
		expect(drawn.every((steps, i) => i === 0 || steps >= drawn[i - 1])).toBe(true);
	});

	it('is replaced while nothing runs, and what the reader had stays', async () => {
		const { lab, client } = makeLab();
		const running = lab.run();
		client.listeners.add((trace) => { if (trace.reference.steps.length === 4) lab.pause(); });
		await running;
		lab.update((now) => ({ ...now, generate: { ...now.generate, tokens: 9 } }));
		lab.selection.lock({ position: 6 });
		const drawn = lab.trace;
		client.calls = [];
		client.lose(lost());
		expect(lab.activity).toBe('loading');
		expect(lab.message?.text).toMatch(/lost \(driver reset\)\. The model is loaded again and the run repeated up to step 4\./);
		await settled(lab);
		expect(client.calls).toEqual(['dispose', 'load synthetic', 'start', ...Array<string>(4).fill('advance')]);
		expect(lab.trace).toEqual(drawn);
		expect(lab.live).toBe(true);
		// The edit was not undone, and the pictures still say that they are of the run before it.
		expect(lab.experiment.generate.tokens).toBe(9);
		expect(lab.stale).toBe(true);
		expect(lab.selection.position).toBe(6);
	});

	it('before a run has begun lets it begin again', async () => {
		const { lab, client } = makeLab();
		client.fail = lost();
		const start = client.start.bind(client);
		client.start = async (experiment: Experiment) => {
			try {
				return await start(experiment);
			} finally {
				client.fail = null;
			}
		};
		await lab.run();
		expect(client.calls.filter((call) => call === 'start')).toHaveLength(2);
		expect(lab.finished).toBe(true);
		expect(lab.message?.text).toMatch(/Everything was loaded again\.$/);
	});

	it('that is lost again at the same step is given up, and running again tries anew', async () => {
		const { lab, client } = makeLab();
		client.failing = [...after(3, lost()), ...after(3, lost())];
		await lab.run();
		expect(lab.message).toMatchObject({ kind: 'problem', text: expect.stringMatching(/lost again right after/) });
		expect(lab.activity).toBe('idle');
		expect(lab.trace?.reference.steps).toHaveLength(3);
		await lab.run();
		expect(lab.finished).toBe(true);
	});

	it('that is lost while the run is brought back is given up, too', async () => {
		const { lab, client } = makeLab();
		client.failing = [...after(5, lost()), ...after(2, lost())];
		await lab.run();
		expect(lab.message?.text).toMatch(/lost again right after/);
		expect(lab.trace?.reference.steps).toHaveLength(5);
		expect(client.calls.filter((call) => call === 'start')).toHaveLength(2);
	});

	it('says when the repeated run writes other words', async () => {
		const { lab, client } = makeLab();
		client.failing = after(5, lost());
		const load = client.load.bind(client);
		client.load = (...args) => {
			if (client.calls.includes('dispose')) client.whole.arms[1].steps[2] = { ...client.whole.arms[1].steps[2], token: 4095 };
			return load(...args);
		};
		await lab.run();
		expect(lab.message?.text).toMatch(/writes another word from step 3 on/);
	});

	it('is replaced only when the page can be seen, and not after a cancel', async () => {
		let show = () => {};
		const { lab, client } = makeLab(undefined, { visible: () => new Promise((resolve) => (show = resolve)) });
		client.failing = after(2, lost());
		const running = lab.run();
		while (!client.calls.includes('dispose')) await Promise.resolve();
		await Promise.resolve();
		expect(client.calls.filter((call) => call.startsWith('load'))).toHaveLength(1);
		lab.cancel();
		show();
		await running;
		expect(client.calls.filter((call) => call.startsWith('load'))).toHaveLength(1);
		expect(lab.activity).toBe('idle');
		await lab.run();
		expect(lab.finished).toBe(true);
	});

	it('is not missed while only the recorded run is there', async () => {
		const { lab, client } = makeLab();
		await lab.chooser.look('nano');
		client.lose(lost());
		await settled(lab);
		expect(lab.message).toBeNull();
		expect(client.calls).toEqual(['dispose']);
	});
});

describe('memory that runs out', () => {
	const full = () => new LabError('memory', 'This machine has not enough memory (Array buffer allocation failed).');

	it('is freed, said, and smaller choices are offered', async () => {
		const { lab, client } = makeLab();
		client.fail = full();
		await lab.run();
		expect(client.calls.at(-1)).toBe('dispose');
		expect(lab.live).toBe(false);
		expect(lab.message?.kind).toBe('problem');
		expect(lab.message?.text).toBe('This machine has not enough memory (Array buffer allocation failed). Everything that the run held is freed; the experiment is kept. You can run fewer arms, shorten the prompt or use nano.');
		expect(lab.message?.actions.map(({ text }) => text)).toEqual(['Remove the last arm', 'Use nano', 'Try again']);
		lab.message?.actions[0].run();
		expect(lab.experiment.arms).toHaveLength(3);
		expect(lab.message).toBeNull();
		client.fail = null;
		await lab.run();
		expect(lab.finished).toBe(true);
	});

	it('offers smaller weights where the graphics device holds them', async () => {
		const files = { 'model.gguf': new Blob(['x']) };
		const { lab, client } = makeLab(null, { store: { files: async () => files } });
		lab.update((now) => ({ ...now, model: 'hf:org/smol' }));
		client.whole.engine = { ...client.whole.engine, backend: 'webgpu' };
		client.failing = [null, full()];
		await lab.run();
		expect(lab.message?.actions.map(({ text }) => text)).toContain('Take 16-bit weights');
		lab.message?.actions.find(({ text }) => text === 'Take 16-bit weights')!.run();
		await settled(lab);
		expect(client.engines.map(({ weights }) => weights)).toEqual(['f32', 'f16']);
		expect(client.engines[1].files).toBe(files);
		expect(lab.finished).toBe(true);
	});
});

describe('a model that is not in this browser', () => {
	const hub = { ...FIRST_EXPERIMENT, model: 'hf:org/smol' };

	it('is asked about when a link names it, and not fetched', async () => {
		const { lab, client } = makeLab();
		lab.open(encodeLink(hub));
		await ticks();
		expect(lab.message?.text).toMatch(/uses smol, which is not in this browser\. Nothing is fetched from https:\/\/huggingface\.co before you say so/);
		expect(lab.message?.actions.map(({ text }) => text)).toEqual(['See what it takes', 'Use nano instead']);
		lab.message?.actions[1].run();
		expect(lab.experiment.model).toBe('nano');
		expect(client.calls).toEqual([]);
	});

	it('is asked about when it is to run', async () => {
		const { lab, client } = makeLab();
		lab.update(() => ({ ...hub, model: 'file:mine' }));
		await lab.run();
		expect(lab.message?.text).toMatch(/uses mine, a model that somebody dropped/);
		expect(client.calls).toEqual([]);
		expect(lab.activity).toBe('idle');
	});

	it('is not asked about when it is kept here', async () => {
		const { lab } = makeLab(undefined, { store: { files: async () => ({ 'config.json': new Blob(['{}']) }) } });
		lab.open(encodeLink(hub));
		await ticks();
		expect(lab.message?.text).toMatch(/The link was opened/);
	});
});

const ticks = async () => { for (let i = 0; i < 50; i++) await Promise.resolve(); };
async function settled(lab: { busy: boolean }): Promise<void> {
	await ticks();
	while (lab.busy) await new Promise((resolve) => setTimeout(resolve));
}
