import type { Attributes } from '../../api/model';
import { codeHref, type CodePlace } from './code';

/** Where this reader's code lies; the browser keeps it. */
export class CodeSetting {
  #template = $state(read());

  get template(): string {
    return this.#template;
  }

  keep(template: string): void {
    this.#template = template.trim();
    try {
      if (this.#template === '') localStorage.removeItem(STORE);
      else localStorage.setItem(STORE, this.#template);
    } catch {
      // Storage may be forbidden; the setting then lasts as long as the page.
    }
  }

  hrefOf(place: CodePlace, resource: Attributes): string | null {
    return codeHref(this.#template, place, resource);
  }
}

function read(): string {
  try {
    return localStorage.getItem(STORE) ?? '';
  } catch {
    return '';
  }
}

const STORE = 'throughline.code';
