// Prints the test sets of the model card, one JSON object a line:
// node scripts/run-ts.mjs training/evalset.ts --n 100 > evalset.jsonl
// { cell, tokens (with <|bos|>), answerTokens, prompt, answer }; for stories the answer is empty.
import { makeTask, type TaskSpec } from '$lib/lab/tasks/index.ts';
import { random } from '$lib/numerics/random.ts';
import { options } from './options.ts';
import { loadTokens } from './tokens.ts';

type Cell = (seed: number) => TaskSpec;

/** A needle `distance` tokens before the question, with a little text before it too. */
const needle = (kind: string, distance: number): Cell => (seed) => {
	const before = random(`evalset/before/${seed}`).int(0, 60);
	return { task: 'needle', seed, kind, filler: distance + before, depth: before / (distance + before) };
};
export const CELLS: Record<string, Cell> = {
	...Object.fromEntries([50, 100, 200, 400, 600, 800, 900].map((d) => [`fact-${d}`, needle('fact', d)])),
	...Object.fromEntries([50, 200, 400, 600, 900].map((d) => [`code-${d}`, needle('code', d)])),
	'codes-8': (seed) => ({ task: 'facts', seed, kind: 'codes', count: 8, filler: 200 }),
	'facts-8': (seed) => ({ task: 'facts', seed, kind: 'mixed', count: 8, filler: 200 }),
	'chat-4x4': (seed) => ({ task: 'chat', seed, topics: 4, count: 4, filler: 150 }),
	...Object.fromEntries([1, 2, 3, 4].map((steps) => [`chain-${steps}`, (seed: number): TaskSpec => ({ task: 'chain', seed, steps })])),
	'chain-3-middle': (seed) => ({ task: 'chain', seed, steps: 3, extra: 2 }),
	'copy-30': (seed) => ({ task: 'copy', seed, count: 30, kind: 'strings' }),
	story: (seed) => ({ task: 'story', seed })
};

export function main(args: string[]): void {
	const { n, cells, seed } = options(args, { n: '100', cells: Object.keys(CELLS).join(','), seed: '500000' });
	const tokens = loadTokens();
	const names = Object.keys(CELLS);
	for (const cell of cells.split(',')) {
		if (!names.includes(cell)) throw new RangeError(`there is no cell ${cell}; the cells are ${names.join(', ')}`);
		// Each cell has seeds of its own, so that one odd document does not show up in all of them.
		const first = Number(seed) + 10000 * names.indexOf(cell);
		for (let i = 0; i < Number(n); i++) {
			const { prompt, answer } = makeTask(CELLS[cell](first + i), (text) => tokens.encode(text).length);
			const line = { cell, tokens: [tokens.bos, ...tokens.encode(prompt)], answerTokens: tokens.encode(answer), prompt, answer };
			process.stdout.write(`${JSON.stringify(line)}\n`);
		}
	}
}
