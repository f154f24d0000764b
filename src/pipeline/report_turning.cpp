// What the views in three dimensions share: WebGL, and turning by mouse, touch and keys.
#include "aetos/pipeline/report_page.hpp"

namespace aetos::pipeline::report {

const char* const kTurningScript = R"js(
function turningView(view, vertex, fragment) {
  var canvas = view.querySelector('canvas'), gl = canvas.getContext('webgl', {alpha: true, antialias: true});
  if (!gl) {
    view.querySelector('.no-view').hidden = false; canvas.hidden = true;
    view.querySelectorAll('label').forEach(function (label) { label.hidden = true; });
    return null;
  }
  function shader(type, text) { var s = gl.createShader(type); gl.shaderSource(s, text); gl.compileShader(s); return s; }
  var program = gl.createProgram(), buffers = {}, turn = [1,0,0, 0,1,0, 0,0,1], zoom = 1;
  gl.attachShader(program, shader(gl.VERTEX_SHADER, 'attribute vec3 place; uniform mat3 turn; uniform float scale, aspect;' +
    'vec4 seen(vec3 r) { return vec4(r.x / max(aspect, 1.0), r.y * min(aspect, 1.0), -r.z * 0.2, 1.0); }' + vertex));
  gl.attachShader(program, shader(gl.FRAGMENT_SHADER, 'precision mediump float;' + fragment));
  gl.linkProgram(program); gl.useProgram(program); gl.enable(gl.DEPTH_TEST);
  // `extent`: the farthest place from the middle. `paint(scale, pixels)` draws the buffers.
  var v = {gl: gl, extent: 1, paint: null};
  v.uniform = function (name) { return gl.getUniformLocation(program, name); };
  v.attribute = function (name, array, type, normal) {
    var at = gl.getAttribLocation(program, name); gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name] = buffers[name] || gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, array, gl.STATIC_DRAW); gl.enableVertexAttribArray(at); gl.vertexAttribPointer(at, 3, type, normal, 0, 0);
  };
  v.draw = function () {
    var ratio = window.devicePixelRatio || 1, w = canvas.clientWidth, h = canvas.clientHeight, scale = 0.95 * zoom / v.extent;
    canvas.width = w * ratio; canvas.height = h * ratio; gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0); gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.uniformMatrix3fv(v.uniform('turn'), false, turn); gl.uniform1f(v.uniform('scale'), scale); gl.uniform1f(v.uniform('aspect'), w / h);
    if (v.paint) v.paint(scale, Math.min(canvas.width, canvas.height));
  };
  function times(a, b) { var m = []; for (var j = 0; j < 3; ++j) for (var i = 0; i < 3; ++i) m.push(a[i] * b[3*j] + a[3+i] * b[3*j+1] + a[6+i] * b[3*j+2]); return m; }
  function rotate(x, y) {
    var c = Math.cos(x), s = Math.sin(x), d = Math.cos(y), t = Math.sin(y);
    turn = times(times([1,0,0, 0,d,t, 0,-t,d], [c,0,-s, 0,1,0, s,0,c]), turn); v.draw();
  }
  var held = {};
  canvas.addEventListener('pointerdown', function (e) { held[e.pointerId] = [e.clientX, e.clientY]; canvas.setPointerCapture(e.pointerId); canvas.focus(); });
  canvas.addEventListener('pointermove', function (e) {
    var from = held[e.pointerId]; if (!from) return;
    var ids = Object.keys(held);
    if (ids.length === 2) {
      var other = held[ids[0] == e.pointerId ? ids[1] : ids[0]];
      zoom *= Math.hypot(e.clientX - other[0], e.clientY - other[1]) / Math.max(1, Math.hypot(from[0] - other[0], from[1] - other[1])); v.draw();
    } else rotate(-(e.clientX - from[0]) * 0.008, -(e.clientY - from[1]) * 0.008);
    held[e.pointerId] = [e.clientX, e.clientY];
  });
  ['pointerup', 'pointercancel'].forEach(function (name) { canvas.addEventListener(name, function (e) { delete held[e.pointerId]; }); });
  canvas.addEventListener('wheel', function (e) { if (document.activeElement !== canvas) return; e.preventDefault(); zoom *= Math.exp(-e.deltaY * 0.001); v.draw(); }, {passive: false});
  canvas.addEventListener('keydown', function (e) {
    var k = {ArrowLeft: [0.1, 0], ArrowRight: [-0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1]}[e.key];
    if (k) { e.preventDefault(); rotate(k[0], k[1]); } else if (e.key === '+' || e.key === '-') { zoom *= e.key === '+' ? 1.15 : 1 / 1.15; v.draw(); }
  });
  window.addEventListener('resize', v.draw);
  rotate(0.5, -0.35);
  return v;
}
function bytesOf(text) { var s = atob(text), b = new Uint8Array(s.length); for (var i = 0; i < s.length; ++i) b[i] = s.charCodeAt(i); return b; }
)js";

}  // namespace aetos::pipeline::report
