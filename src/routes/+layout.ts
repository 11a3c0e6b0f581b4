export const prerender = true;
// Folders with an index.html work on every static host.
export const trailingSlash = 'always';
