/** Draws a swarm with WebGL2: one point for each particle, and no work for the processor but to say what time it is. */
import { FLOATS, type Swarm } from './swarm';

/** From world to pixels: scale, then move. */
export interface Camera {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

export type Rgb = readonly [number, number, number];

export class ParticleField {
  #gl: WebGL2RenderingContext;
  #program: WebGLProgram;
  #buffer: WebGLBuffer | null;
  #uniforms: Readonly<Record<'time' | 'view' | 'size' | 'ratio' | 'colours', Location>>;
  #count = 0;

  /** Null where the browser has no WebGL2; the lines then say by their width what moves. */
  static on(canvas: HTMLCanvasElement): ParticleField | null {
    const gl = canvas.getContext('webgl2', {
      alpha: true,
      antialias: false,
      premultipliedAlpha: true,
    });
    const program = gl && link(gl);
    return gl && program ? new ParticleField(gl, program) : null;
  }

  private constructor(gl: WebGL2RenderingContext, program: WebGLProgram) {
    this.#gl = gl;
    this.#program = program;
    this.#buffer = gl.createBuffer();
    const at = (name: string): Location => gl.getUniformLocation(program, name);
    this.#uniforms = {
      time: at('time'),
      view: at('view'),
      size: at('size'),
      ratio: at('ratio'),
      colours: at('colours'),
    };
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#buffer);
    let offset = 0;
    for (const [name, floats] of ATTRIBUTES) {
      const place = gl.getAttribLocation(program, name);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, floats, gl.FLOAT, false, FLOATS * 4, offset * 4);
      offset += floats;
    }
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  load(swarm: Swarm): void {
    this.#count = swarm.count;
    this.#gl.bindBuffer(this.#gl.ARRAY_BUFFER, this.#buffer);
    this.#gl.bufferData(this.#gl.ARRAY_BUFFER, swarm.data, this.#gl.STATIC_DRAW);
  }

  /** One frame; `colours` in the order of the levels. */
  draw(seconds: number, camera: Camera, ratio: number, colours: readonly Rgb[]): void {
    const gl = this.#gl;
    const { width, height } = gl.canvas;
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (this.#count === 0) return;
    gl.useProgram(this.#program);
    gl.uniform1f(this.#uniforms.time, seconds);
    gl.uniform3f(this.#uniforms.view, camera.scale * ratio, camera.x * ratio, camera.y * ratio);
    gl.uniform2f(this.#uniforms.size, width, height);
    gl.uniform1f(this.#uniforms.ratio, ratio);
    gl.uniform3fv(this.#uniforms.colours, colours.flat());
    gl.drawArrays(gl.POINTS, 0, this.#count);
  }

  dispose(): void {
    this.#gl.getExtension('WEBGL_lose_context')?.loseContext();
  }
}

type Location = WebGLUniformLocation | null;

const ATTRIBUTES: readonly (readonly [string, number])[] = [
  ['ab', 4],
  ['cd', 4],
  ['delay', 1],
  ['period', 1],
  ['travel', 1],
  ['lane', 1],
  ['level', 1],
  ['strength', 1],
];

const VERTEX = `#version 300 es
in vec4 ab; in vec4 cd;
in float delay, period, travel, lane, level, strength;
uniform float time, ratio;
uniform vec3 view; uniform vec2 size; uniform vec3 colours[4];
out vec4 tint; flat out int shape;
void main() {
  float t = mod(time + delay, period) / travel;
  if (t > 1.0) { gl_Position = vec4(2.0, 2.0, 0.0, 1.0); gl_PointSize = 1.0; return; }
  float r = 1.0 - t;
  vec2 p = r*r*r*ab.xy + 3.0*r*r*t*ab.zw + 3.0*r*t*t*cd.xy + t*t*t*cd.zw;
  vec2 d = 3.0*r*r*(ab.zw-ab.xy) + 6.0*r*t*(cd.xy-ab.zw) + 3.0*t*t*(cd.zw-cd.xy);
  p += vec2(-d.y, d.x) / max(length(d), 0.001) * lane * sin(3.14159 * t);
  vec2 px = p * view.x + view.yz;
  gl_Position = vec4(px.x / size.x * 2.0 - 1.0, 1.0 - px.y / size.y * 2.0, 0.0, 1.0);
  shape = int(level + 0.5);
  float grown = shape == 0 ? 6.0 : 9.0;
  gl_PointSize = grown * ratio * clamp(view.x / ratio, 0.55, 1.6);
  float fade = min(1.0, min(t, r) * 12.0) * strength;
  tint = vec4(colours[shape] * fade, fade);
}`;

// Round as usual, a triangle when unusual, a diamond when very: colour is never alone.
const FRAGMENT = `#version 300 es
precision mediump float;
in vec4 tint; flat in int shape;
out vec4 colour;
void main() {
  vec2 p = gl_PointCoord * 2.0 - 1.0;
  float inside = shape == 1 ? min(1.0 - p.y, 0.9 + p.y - 1.9 * abs(p.x) + 0.1) :
                 shape == 2 ? 1.0 - abs(p.x) - abs(p.y) : 1.0 - length(p);
  float alpha = smoothstep(0.0, 0.25, inside);
  if (alpha <= 0.0) discard;
  colour = tint * alpha;
}`;

function link(gl: WebGL2RenderingContext): WebGLProgram | null {
  const program = gl.createProgram();
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ] as const) {
    const shader = gl.createShader(kind);
    if (!shader) return null;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : null;
}
