import { againstHuggingFace } from './conformance-suite.ts';

againstHuggingFace('cpu');
againstHuggingFace('wasm');
