import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import { roomRules } from './scripts/rooms.js';
import svelteConfig from './svelte.config.js';

export default ts.config(
	{ ignores: ['build/', '.svelte-kit/', 'node_modules/', 'training/', 'static/', 'test-results/', 'playwright-report/', '.cache/'] },
	js.configs.recommended,
	...ts.configs.recommended,
	...svelte.configs.recommended,
	{
		languageOptions: { globals: { ...globals.browser, ...globals.node } },
		rules: {
			// TypeScript itself finds undefined names, and knows the DOM's types.
			'no-undef': 'off',
			'@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' }],
			// Reading a tensor synchronously returns zeros and then loses the device on WebGPU.
			'no-restricted-properties': [
				'error',
				{ property: 'dataSync', message: 'Await data() instead: dataSync loses the WebGPU device.' },
				{ property: 'arraySync', message: 'Await array() instead: arraySync loses the WebGPU device.' },
				{ property: 'bytesSync', message: 'Await bytes() instead.' }
			]
		}
	},
	{
		files: ['**/*.svelte', '**/*.svelte.ts'],
		languageOptions: { parserOptions: { projectService: false, extraFileExtensions: ['.svelte'], parser: ts.parser, svelteConfig } },
		rules: { 'svelte/no-navigation-without-resolve': 'off' }
	},
	...roomRules
);
