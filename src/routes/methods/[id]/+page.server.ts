/** Runs while the site is built: a method's page gets its texts, its formula as markup and its file, nothing else. */
import { error } from '@sveltejs/kit';
import katex from 'katex';
import { methods } from '$lib/methods/registry.ts';
import { encodeLink } from '$lib/share/link.ts';
import { words } from '$lib/ui/words/index.ts';
import { askedOf } from '../asked.ts';
import { demoOf, entryOf, groupByFamily, paramRows } from '../catalogue.ts';
import type { EntryGenerator, PageServerLoad } from './$types.js';

/** The text of every method's file, read when its page is made. */
const sources = import.meta.glob<string>(['/src/lib/methods/*/*.ts', '!**/*.test.ts'], { query: '?raw', import: 'default' });

export const entries: EntryGenerator = () => [...methods.keys()].map((id) => ({ id }));

export const load: PageServerLoad = async ({ params }) => {
	const method = methods.get(params.id);
	if (!method) error(404, words.methods.noSuch(params.id));
	const { id, title, subtitle, family, paper, confidence, ours, failures, idea, acts, bytes, scorer } = method;
	const path = `src/lib/methods/${family}/${id}.ts`;
	const [group] = groupByFamily([...methods.values()].filter((each) => each.family === family).map(entryOf));
	return {
		id, title, subtitle, family, paper, confidence, ours, failures, idea, acts, bytes,
		scorer: scorer === true,
		links: method.sources,
		needs: askedOf(method),
		formula: katex.renderToString(method.formula, { displayMode: true, throwOnError: true }),
		params: paramRows(method.params, (inner) => methods.get(inner)?.title ?? inner),
		demo: encodeLink(demoOf(method, methods.get('streaming-llm'))),
		path,
		source: await sources[`/${path}`](),
		siblings: group.entries.map((entry) => ({ id: entry.id, title: entry.title }))
	};
};
