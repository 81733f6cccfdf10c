/** Why an answer did not come, grouped by who can do something about it. */
export type ApiError =
  /** No answer at all: the server is down or the way to it is. */
  | { readonly kind: 'unreachable'; readonly detail: string }
  /** The server answered with an error of its own. */
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly code: string;
      readonly message: string;
    }
  /** The answer is not what `/api/v1` promises. */
  | { readonly kind: 'malformed'; readonly detail: string };

/** One sentence for the reader. */
export function describeError(error: ApiError): string {
  switch (error.kind) {
    case 'unreachable':
      return 'The server does not answer.';
    case 'refused':
      return error.code === ''
        ? `The server answered ${error.status}: ${error.message}`
        : `${error.message} (${error.code})`;
    case 'malformed':
      return `The server's answer could not be read: ${error.detail}.`;
  }
}
