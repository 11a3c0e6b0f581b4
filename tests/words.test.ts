/** Words for the reader stand in one place a language: none in components, none in the code beside them. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { proseInSvelte, proseInTs } from './prose.ts';

const ROOMS = ['src/lib/ui', 'src/lib/views', 'src/lib/lessons', 'src/routes'];
/** The words themselves; what a lesson teaches; what tests make up. */
const HOMES = [/^src\/lib\/ui\/words\//, /^src\/lib\/lessons\/[^/]+\/[^/]+\.ts$/, /^src\/lib\/views\/testing\//, /\.test\.ts$/];

const files = ROOMS.flatMap((room) => readdirSync(room, { recursive: true, encoding: 'utf8' }).map((name) => `${room}/${name.replaceAll('\\', '/')}`))
	.filter((path) => /\.(svelte|ts)$/.test(path) && !HOMES.some((home) => home.test(path)));

describe('words', () => {
	it.each(files)('none stand in %s', (path) => {
		const source = readFileSync(path, 'utf8');
		expect(path.endsWith('.svelte') ? proseInSvelte(source) : proseInTs(source)).toEqual([]);
	});
});

describe('the search for prose', () => {
	const svelte = (markup: string, script = '') => proseInSvelte(`<script lang="ts">${script}</script>\n${markup}`).map((p) => p.text);
	it.each([
		['text', '<p>No step yet.</p>', 'No step yet.'],
		['one word', '<th>rank</th>', 'rank'],
		['a word beside a number', '<p>fig. {n}</p>', 'fig.'],
		['text in a block', '{#if a}<b>{n}</b> slots{/if}', 'slots'],
		['a label for screen readers', '<svg aria-label="Query heads"></svg>', 'Query heads'],
		['a label with a number in it', '<button aria-label="Edit arm {n}"></button>', 'Edit arm'],
		['a tooltip', '<button title={on ? "Duplicate" : w.full}></button>', 'Duplicate'],
		['a placeholder', '<input placeholder="none" />', 'none'],
		['a property of a component', '<Ramp title="rank" low="0" />', 'rank'],
		['a sentence in an expression', "<p>{on ? 'Run it here.' : ''}</p>", 'Run it here.'],
		['a sentence in a template', '<p>{`${n} of the mass is lost`}</p>', 'of the mass is lost']
	])('finds %s', (_, markup, text) => {
		expect(svelte(markup)).toEqual([text]);
	});
	it('finds headings of a table and sentences in code', () => {
		expect(svelte('', "const t = { caption: c, columns: ['token', ids] };")).toEqual(['token']);
		expect(proseInTs("export const say = (n: number) => `${n} heads are left`;").map((p) => p.text)).toEqual(['heads are left']);
	});
	it('lets be what no one reads as words', () => {
		expect(svelte('<p class="one two" style:font="600 12px var(--font-ui)"><code>npm start</code> {w.text} · 24 kB, fp16 K</p>')).toEqual([]);
		expect(svelte('<path d="M0 0h{x}" /><Seg value="full" /><p title={id === "difference" ? a : b}></p>')).toEqual([]);
		expect(svelte('', "import a from 'some where here'; type Side = 'left hand side'; if (!a) throw new RangeError('needs a task with an answer');")).toEqual([]);
	});
});
