/** The two inner parts of reading a tile of pages: scores of its places, and the weighted sum of its values. */
import { each, fourCodes, fourRulers, wordsPerGroup } from './page.wgsl.ts';
import type { PackedPlan } from './plan.ts';

/** Adds the products of queries 0, 1, … with the key of row r of `page` (page n of the tile) to s0, s1, … */
export function scorePlace(plan: PackedPlan): string {
	const { format: { headDim, rows, key }, layout: { key: side }, queries, vectors } = plan;
	const load = (w: string) => `let bits = word(page + ${side.codes} + ${w} * ${rows} + r);`;
	const dots = (from: string, offset: string) => each(side.perWord, (j) => `{ let four = ${fourCodes(key, 'bits', j)};
			${each(queries, (q) => `d${q} += dot(${from}[${offset} + w * ${side.perWord} + ${q * vectors + j}], four);`)} }`);
	const nothing = each(queries, (q) => `var d${q} = 0.0;`);
	switch (plan.key) {
		case 'words': {
			const words = wordsPerGroup(key, side.words);
			return `
		for (var g = 0; g < ${side.groups}; g++) {
			let own = keyRuler(page, r, g * ${key.group});
			${nothing}
			for (var w = g * ${words}; w < min((g + 1) * ${words}, ${side.words}); w++) { ${load('w')} ${dots('query', '0')} }
			${each(queries, (q) => `s${q} += own.x * d${q} + own.y * groupSums[${q * side.groups} + g];`)}
		}`;
		}
		case 'channel': return `
		${nothing}
		for (var w = 0; w < ${side.words}; w++) { ${load('w')} ${dots('scaled', `n * ${queries * vectors}`)} }
		${each(queries, (q) => `s${q} += d${q};`)}`;
		case 'any': return `
		for (var v = 0; v < ${Math.ceil(headDim / 4)}; v++) {
			${load(`(v / ${side.perWord})`)}
			let four = ${fourCodes(key, 'bits', `(v % ${side.perWord})`)};
			${fourRulers('key', headDim, 'r')}
			${each(queries, (q) => `s${q} += dot(query[${q * vectors} + v], steps * four + zeros);`)}
		}`;
	}
}

/**
 * Adds the values of the tile's `here` pages, weighted by `scores`, to sum0_0 … (query, vector of the
 * thread's word `mine`) and, where rulers cover whole words, what their zeros give to zero0 …
 */
export function addValues(plan: PackedPlan): string {
	const { format: { headDim, rows, value }, layout: { value: side }, queries, threads, pages } = plan;
	const places = pages * rows;
	const teams = Math.floor(threads / side.words);
	const weights = `${each(queries, (q) => `let w${q} = scores[${q * places} + i];`)}
			if (${Array.from({ length: queries }, (_, q) => `w${q} == 0.0`).join(' && ')}) { continue; }`;
	const load = `let bits = word(page + ${side.codes} + r * ${side.words} + mine);`;
	const add = (target: string, weight: string) => each(side.perWord, (j) =>
		`{ let four = ${fourCodes(value, 'bits', j)}; ${each(queries, (q) => `${target}${q}_${j} += ${weight}${q} * four;`)} }`);
	const walk = (inside: string) => `
		for (var i = team; i < here * ${rows}; i += ${teams}) {
			${weights}
			let r = i % ${rows};
			let page = pageAt(head, first + tile + i / ${rows});
			${load}
			${inside}
		}`;
	switch (plan.value) {
		case 'words': return walk(`
			let own = rulers[i * ${side.groups} + mine / ${wordsPerGroup(value, side.words)}];
			${each(queries, (q) => `let x${q} = w${q} * own.x; zero${q} += w${q} * own.y;`)}
			${add('sum', 'x')}`);
		case 'channel': return `
		for (var n = 0; n < here; n++) {
			let page = pageAt(head, first + tile + n);
			if (page < 0) { continue; }
			${each(queries, (q) => `var all${q} = 0.0; ${each(side.perWord, (j) => `var part${q}_${j} = vec4<f32>(0.0);`)}`)}
			for (var r = team; r < ${rows}; r += ${teams}) {
				let i = n * ${rows} + r;
				${weights}
				${load}
				${each(queries, (q) => `all${q} += w${q};`)}
				${add('part', 'w')}
			}
			${each(side.perWord, (j) => `{ let v = mine * ${side.perWord} + ${j}; ${fourRulers('value', headDim, '0')}
				${each(queries, (q) => `sum${q}_${j} += steps * part${q}_${j} + zeros * all${q};`)} }`)}
		}`;
		case 'any': return walk(each(side.perWord, (j) => `{ let v = mine * ${side.perWord} + ${j}; ${fourRulers('value', headDim, 'r')}
			let four = steps * ${fourCodes(value, 'bits', j)} + zeros; ${each(queries, (q) => `sum${q}_${j} += w${q} * four;`)} }`));
	}
}
