/** The table of all methods: quality against true bytes, ranked at equal bytes, run again. */
import { count, nats, percent, significant } from '../../format.ts';
import { list, plural } from './grammar.ts';

type Measure = 'correct' | 'agree' | 'kl';

/** Negative: it costs less, and the dearest of the ranked so much more. */
const offWords = (off: number): string => (off > 0 ? `${significant(off, off < 10 ? 2 : 3)} % more bytes` : `less; the ranked up to ${significant(-off, off > -10 ? 2 : 3)} % more`);
const budgetName = (budget: number): string => percent(budget, budget * 100 % 1 ? 1 : 0);
const measures: Record<Measure, string> = { correct: 'Right answers', agree: 'Same next word', kl: 'KL' };

export const compare = {
	title: 'Compare',
	lead: 'Every method at several budgets, on the same texts: what is said of the answer against the bytes that are truly stored.',
	loading: 'The recorded table is being fetched.',
	needsScript: 'This page draws the table in your browser, and for that it needs JavaScript.',
	absent: 'There is no recorded table here yet. It is made on your own machine by this command, which can be stopped and goes on when called again:',
	command: 'npm run winnow -- sweep',
	broken: (why: string): string => `The recorded table cannot be read: ${why}`,
	recorded: (texts: number, first: number, model: string, print: string, backend: string, weights: string | undefined): string =>
		`Recorded: ${plural(texts, 'text')} a task, seeds ${first} to ${first + texts - 1}, model ${model} (fingerprint ${print}), ${backend}${weights ? `, weights ${weights}` : ''}. Made by`,
	/** For files that leave the page. */
	origin: (texts: number, first: number, model: string, print: string, command: string): string =>
		`Recorded: ${model} (fingerprint ${print}), ${plural(texts, 'text')} a task, seeds from ${first}. Made by ${command}.`,

	measure: 'Quality', measures,
	tasks: { all: 'mean over tasks', label: 'Task', needle: 'needle', facts: 'facts', chat: 'chat', chain: 'chain', copy: 'copy', story: 'story' } as Record<string, string>,
	taskLine: (name: string, texts: number, tokens: number, steps: number, full: number | null): string =>
		`${name}: ${count(tokens)} tokens of prompt and ${count(steps)} of answer on the mean of ${plural(texts, 'text')}; ${full === null ? 'no right answer' : `the full cache answers ${percent(full)}`}.`,
	moment: 'Bytes are counted', moments: { prompt: 'after the prompt', end: 'with the answer' },
	family: 'Families', allFamilies: 'All',
	shown: (points: number, methods: number): string => `${plural(points, 'cell')} of ${plural(methods, 'method')}`,
	noAnswer: (name: string): string => `The task ${name} has no right answer; the same next word is drawn instead.`,
	partial: (cells: number): string => `${plural(cells, 'cell')} ${cells === 1 ? 'is' : 'are'} not drawn: measured on some of the tasks only, and a mean over other tasks is no comparison.`,
	nothing: 'No cell fits. Take all families.',

	scatter: 'Quality against true bytes',
	finding: (best: { title: string; budget: number; others: number }[]): string => best.length
		? `At equal bytes ${list(best.map(({ title, budget, others }) => `${title}${others ? ` (and ${others} more)` : ''} ${others ? 'are' : 'is'} best at ${budgetName(budget)}`))}.`
		: 'No two cells can be compared.',
	named: (title: string, others: number): string => (others ? `${title} +${others}` : title),
	axis: 'True bytes, share of the full fp16 cache (log)',
	up: (measure: Measure): string => ({ correct: 'share of right answers', agree: 'steps with the same next word', kl: 'KL(full || arm), nats a step; less is higher' })[measure],
	full: (share: number): string => `full cache ${percent(share)}`,
	asked: (budget: number): string => `${budgetName(budget)} asked`,
	whisker: 'Upright line: one standard error over the texts. Names: the best among equal bytes.',
	marks: 'Cells, as marks. Left and right: the method at other budgets. Up and down: better and worse at this budget. Enter locks.',
	mark: (title: string, budget: number, share: number, measure: Measure, value: number, se: number): string =>
		`${title} at ${budgetName(budget)}: ${measures[measure]} ${compareValue(measure, value)} ± ${compareValue(measure, se)}, ${percent(share, 1)} of the bytes`,
	summary: (points: number, methods: number, measure: Measure): string =>
		`${plural(points, 'cell')} of ${plural(methods, 'method')}; ${measures[measure]} against true bytes. The table below has all numbers.`,
	value: (measure: Measure, value: number): string => compareValue(measure, value),

	cells: 'All cells',
	region: 'All cells as a table',
	caption: (task: string, moment: string): string => `${task}; bytes ${moment}. ± is one standard error over the texts.`,
	columns: {
		method: 'Method', family: 'Family', budget: 'Asked', share: 'True bytes', correct: 'Right', agree: 'Same word', kl: 'KL, nats'
	},
	sort: (column: string): string => `Sort by ${column}`,
	look: (title: string, budget: number): string => `Select ${title} at ${budgetName(budget)}`,
	aboutMethod: (title: string): string => `About ${title}`,
	budget: budgetName,
	none: 'none',
	plusMinus: (value: string, se: string): string => `${value} ± ${se}`,
	file: {
		columns: ['method', 'id', 'family', 'budget asked', 'true bytes (share)', 'texts', 'right answers', 'right answers se', 'same word', 'same word se', 'KL nats', 'KL se', 'settings'],
		caption: (task: string, moment: string): string => `Quality against true bytes; ${task}; bytes ${moment}`
	},

	ranking: 'Best at equal bytes',
	at: 'Budget asked',
	anyway: 'Rank all the same, whatever they cost',
	ranked: (n: number, least: number, most: number): string =>
		`Ranked: ${plural(n, 'arm')} that cost the same within 2 %, ${percent(least, 1)} to ${percent(most, 1)} of the full cache.`,
	unfair: (n: number, difference: number): string =>
		`Ranked all the same: ${plural(n, 'arm')} whose bytes differ by up to ${significant(difference, 3)} %. Whoever stores more has the easier task, so this is no fair order.`,
	refused: (n: number): string => `Not ranked, since ${n === 1 ? 'it costs' : 'they cost'} over 2 % more than the cheapest of the ranked, or over 2 % less than the dearest:`,
	off: offWords,
	place: (n: number): string => `${n}.`,
	level: 'level',
	levelAbout: 'Level with the best: the difference is within twice its standard error, so these texts do not tell them apart.',
	more: (n: number): string => `Show ${n} more`,
	fewer: 'Show fewer',
	noneHere: 'Nothing was measured at this budget for this choice.',

	notes: 'What the table says of itself',
	idle: (titles: readonly string[]): string =>
		`${list(titles)} ${titles.length === 1 ? 'does' : 'do'} nothing within so few steps: no number and no byte differs from the full cache.`,
	later: (title: string, idleOn: readonly string[]): string =>
		`${title} acts only while the answer is written; after the prompt all bytes are still there.${idleOn.length ? ` Within the few steps of ${list(idleOn)} it does nothing at all.` : ''}`,
	unshrunk: (title: string, least: number, most: number): string =>
		`${title} stores everything at every budget (${percent(least)}${percent(least) === percent(most) ? '' : ` to ${percent(most)}`} of the full cache): what it saves is not bytes stored.`,
	short: (cells: number): string => `${plural(cells, 'cell')} rest${cells === 1 ? 's' : ''} on fewer texts than the others.`,
	leftOut: (title: string, why: string): string => `${title} is not in the table, or not in all of it. ${why}`,

	cell: {
		title: (title: string, budget: number): string => `${title} at ${budgetName(budget)}`,
		none: 'Choose a mark or a row to see its cell, and to run it again.',
		settings: 'Settings', settingsOf: (task: string): string => `Settings for ${task}`,
		texts: (n: number): string => plural(n, 'text'),
		quartiles: (q1: number, median: number, q3: number): string => `half of the texts lie from ${nats(q1)} to ${nats(q3)}, median ${nats(median)}`,
		again: 'Run this cell again',
		task: 'On', seed: 'Seed',
		lab: 'Open in the lab', forced: 'Open in the lab with the full cache’s answer',
		labAbout: 'There the arm writes its own words. The table feeds every arm what the full cache answers.',
		one: 'Measure this text here', all: (n: number): string => `Measure all ${n} texts here`, stop: 'Stop',
		loading: 'Loading the model.', loaded: (share: number): string => `Loading the model, ${percent(share)}.`,
		working: (done: number, of: number): string => `Measuring text ${done + 1} of ${of}.`,
		failed: (why: string): string => `It could not be measured: ${why}`,
		what: 'What', recorded: (n: number): string => `Recorded, mean of ${plural(n, 'text')}`,
		here: (n: number, backend: string): string => `Measured here just now on ${backend}, ${n === 1 ? 'one text' : `mean of ${plural(n, 'text')}`}`,
		bytes: 'True bytes after the prompt', bytesEnd: 'True bytes with the answer',
		one_text: 'One text is one draw: it need not look like the mean.',
		same: 'Every number is the recorded one, to the digits that are kept.',
		differ: (texts: number): string => `All ${texts} texts were measured, and not every number is the recorded one to the digits that are kept; another engine rounds in another way.`,
		otherModel: (here: string, there: string): string => `The model here (${here}) is not the one of the table (${there}), so the numbers may differ.`,
		caption: (seeds: readonly number[]): string => `Recorded beside measured; measured: ${seeds.length === 1 ? 'seed' : 'seeds'} ${seeds.length > 6 ? `${seeds[0]} to ${seeds[seeds.length - 1]}` : seeds.join(', ')}`
	},
	fromMethod: 'See it among the others',
	keysDo: { clear: 'Clear what is selected; leave presenter mode', presenter: 'Presenter mode' }
};

function compareValue(measure: Measure, value: number): string {
	return measure === 'kl' ? nats(value) : percent(value);
}
