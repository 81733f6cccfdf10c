import { mount } from 'svelte';
import './app.css';
import Demo from './widgets/demo/Demo.svelte';

const target = document.getElementById('demo');
if (target === null) throw new Error('demo.html has no element with the id "demo"');

mount(Demo, { target });
