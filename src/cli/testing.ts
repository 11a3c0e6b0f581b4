/** For tests of commands that run in this process. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, vi } from 'vitest';
import { TINY } from '$lib/lab/testing.ts';
import { HF_RANDOM, randomLlama } from '$lib/model/random-llama.ts';

/** What a test's commands wrote; they reach neither stream. A test may empty it to look at the next command alone. */
export function caught(): { out: string; err: string } {
	const said = { out: '', err: '' };
	const consoles = { log: console.log, info: console.info, debug: console.debug };
	beforeEach(() => {
		said.out = said.err = '';
		vi.spyOn(process.stdout, 'write').mockImplementation(((text: string, done?: () => void) => {
			said.out += text;
			done?.();
			return true;
		}) as never);
		vi.spyOn(process.stderr, 'write').mockImplementation(((text: string) => {
			said.err += text;
			return true;
		}) as never);
	});
	afterEach(() => {
		vi.restoreAllMocks();
		// Commands send what libraries print to the other stream.
		Object.assign(console, consoles);
	});
	return said;
}

/** A tiny model with random weights as a directory. */
export async function writeTinyModel(folder: string): Promise<void> {
	const source = randomLlama({ ...TINY, max_position_embeddings: 2048 }, HF_RANDOM);
	for (const name of ['config.json', 'tokenizer.json']) writeFileSync(join(folder, name), JSON.stringify(await source.json(name)));
	writeFileSync(join(folder, 'model.safetensors'), new Uint8Array((await source.bytes('model.safetensors')) as ArrayBuffer));
}
