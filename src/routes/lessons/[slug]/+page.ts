import { error } from '@sveltejs/kit';
import { lessonBySlug, lessons } from '$lib/lessons/registry.ts';
import type { EntryGenerator, PageLoad } from './$types.js';

export const entries: EntryGenerator = () => lessons.map(({ slug }) => ({ slug }));

export const load: PageLoad = ({ params }) => {
	const lesson = lessonBySlug(params.slug);
	if (!lesson) error(404, `There is no lesson “${params.slug}”.`);
	return { lesson };
};
