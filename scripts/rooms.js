/**
 * The room rule: a room imports only rooms below it. Top to bottom; `views` stand apart: they draw
 * documents and use widgets, and know nothing of the engine.
 */
export const ROOMS = [
	'lessons', 'views', 'ui', 'share', 'worker', 'lab', 'store', 'methods', 'cache', 'model', 'ops', 'documents', 'numerics'
];
const VIEWS_MAY = ['views', 'documents', 'numerics', 'ui'];
const UI_MAY = ['ui', 'documents', 'numerics'];

function forbiddenFor(room) {
	if (room === 'views') return ROOMS.filter((other) => !VIEWS_MAY.includes(other));
	if (room === 'ui') return ROOMS.filter((other) => !UI_MAY.includes(other));
	return ROOMS.slice(0, ROOMS.indexOf(room));
}

/** ESLint configuration, one entry a room. */
export const roomRules = ROOMS.filter((room) => forbiddenFor(room).length > 0).map((room) => {
	const above = forbiddenFor(room).join('|');
	const message = `src/lib/${room} may import only rooms below it (see ARCHITECTURE.md).`;
	return {
		files: [`src/lib/${room}/**`],
		rules: {
			'no-restricted-imports': [
				'error',
				{ patterns: [{ regex: `^(\\$lib|(\\.\\./)+)/?(${above})(/|$)`, message }, { regex: '(^|/)routes/', message }] }
			],
			'no-restricted-syntax': [
				'error',
				{ selector: `ImportExpression[source.value=/^(\\$lib|(\\.\\.\\/)+)\\/?(${above})(\\/|$)/]`, message }
			]
		}
	};
});
