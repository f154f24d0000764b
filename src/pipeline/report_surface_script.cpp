// The script of the isosurface: found by marching tetrahedra, measured and drawn in the page.
#include "aetos/pipeline/report_page.hpp"

namespace aetos::pipeline::report {

const char* const kSurfaceScript = R"js(
(function () {
  var view = document.getElementById('surface3d'), data = view.querySelector('canvas').dataset, grids = JSON.parse(data.grids);
  var choice = view.querySelector('select'), slider = view.querySelector('input'), grid;
  // Six tetrahedra about the diagonal of a cell; corners as bits of z, y, x.
  var tetrahedra = [[0,1,3,7],[0,1,5,7],[0,2,3,7],[0,2,6,7],[0,4,5,7],[0,4,6,7]];
  // A layer of nothing about the voxels closes every surface.
  function unpack(which) {
    var g = grids[which], b = bytesOf(data['voxels' + which]), s = g.shape, nx = s[0] + 2, plane = nx * (s[1] + 2);
    g.padded = new Uint8Array(plane * (s[2] + 2)); g.nx = nx; g.plane = plane;
    for (var z = 0, at = 0; z < s[2]; ++z) for (var y = 0; y < s[1]; ++y, at += s[0])
      g.padded.set(b.subarray(at, at + s[0]), 1 + nx * (y + 1) + plane * (z + 1));
    return g;
  }
  // Triangles where the values cross `level`, with the outward slope of the values at each corner.
  function surface(g, level) {
    var p = g.padded, nx = g.nx, plane = g.plane, f = g.first, s = g.shape, step = g.step;
    var corners = [0, 1, nx, nx + 1, plane, plane + 1, plane + nx, plane + nx + 1], n = 0;
    var places = new Float32Array(1 << 16), slopes = new Float32Array(1 << 16);
    // Up to four corners of triangles: place in voxels of `padded`, slope.
    var c = [0, 1, 2, 3].map(function () { return new Float64Array(6); }), inside = [0, 0, 0, 0], outside = [0, 0, 0, 0];
    function slope(i, d) { return (i < d ? 0 : p[i - d]) - (i + d < p.length ? p[i + d] : 0); }
    function crossing(a, b, k) {
      var t = (level - p[a]) / (p[b] - p[a]), u = 1 - t, at = c[k];
      at[0] = u * (a % nx) + t * (b % nx);
      at[1] = u * Math.floor(a % plane / nx) + t * Math.floor(b % plane / nx);
      at[2] = u * Math.floor(a / plane) + t * Math.floor(b / plane);
      at[3] = u * slope(a, 1) + t * slope(b, 1); at[4] = u * slope(a, nx) + t * slope(b, nx); at[5] = u * slope(a, plane) + t * slope(b, plane);
    }
    // The closing layer lies on the outermost voxels.
    function put(at) {
      for (var k = 0; k < 3; ++k, ++n) { places[n] = f[k] + step * (Math.min(s[k], Math.max(1, at[k])) - 1); slopes[n] = at[3 + k]; }
    }
    // (ox, oy, oz) points outward: the corners run counterclockwise as seen from there.
    function triangle(a, b, d, ox, oy, oz) {
      var ux = b[0] - a[0], uy = b[1] - a[1], uz = b[2] - a[2], wx = d[0] - a[0], wy = d[1] - a[1], wz = d[2] - a[2];
      var out = (uy * wz - uz * wy) * ox + (uz * wx - ux * wz) * oy + (ux * wy - uy * wx) * oz;
      if (n + 9 > places.length) { places = longer(places); slopes = longer(slopes); }
      put(a); put(out < 0 ? d : b); put(out < 0 ? b : d);
    }
    function tetrahedron(cell, which) {
      var ins = 0, outs = 0, k = 0;
      for (var i = 0; i < 4; ++i) { var at = cell + corners[which[i]]; if (p[at] > level) inside[ins++] = at; else outside[outs++] = at; }
      if (!ins || !outs) return;
      for (i = 0; i < ins; ++i) for (var j = 0; j < outs; ++j) crossing(inside[i], outside[j], k++);
      var a = inside[0], b = outside[0];
      var ox = b % nx - a % nx, oy = Math.floor(b % plane / nx) - Math.floor(a % plane / nx), oz = Math.floor(b / plane) - Math.floor(a / plane);
      triangle(c[0], c[1], c[2], ox, oy, oz);
      if (k === 4) triangle(c[1], c[2], c[3], ox, oy, oz);
    }
    for (var cell = 0; cell + corners[7] < p.length; ++cell) {
      if (cell % nx === nx - 1 || cell % plane >= plane - nx) continue;
      var first = p[cell] > level, same = true;
      for (var k = 1; k < 8 && same; ++k) same = p[cell + corners[k]] > level === first;
      if (!same) for (var t = 0; t < 6; ++t) tetrahedron(cell, tetrahedra[t]);
    }
    return {places: places.slice(0, n), slopes: slopes.slice(0, n)};
  }
  function longer(array) { var more = new Float32Array(2 * array.length); more.set(array); return more; }
  // What the surface encloses, its area, and the farthest place.
  function measures(p) {
    var volume = 0, area = 0, far = 0;
    for (var i = 0; i < p.length; i += 9) {
      var ux = p[i+3] - p[i], uy = p[i+4] - p[i+1], uz = p[i+5] - p[i+2], wx = p[i+6] - p[i], wy = p[i+7] - p[i+1], wz = p[i+8] - p[i+2];
      var x = uy * wz - uz * wy, y = uz * wx - ux * wz, z = ux * wy - uy * wx;
      volume += (p[i] * x + p[i+1] * y + p[i+2] * z) / 6; area += Math.sqrt(x * x + y * y + z * z) / 2;
      far = Math.max(far, Math.sqrt(p[i] * p[i] + p[i+1] * p[i+1] + p[i+2] * p[i+2]));
    }
    return {volume: volume, area: area, far: far};
  }
  function short(x) { return x < 1e-3 ? x.toExponential(2) : String(Number(x.toPrecision(3))); }
  function digits(x) { return Number(x.toPrecision(3)).toLocaleString('en', {maximumSignificantDigits: 3}); }
  var v = turningView(view,
    'attribute vec3 slope; varying vec3 n; varying float depth;' +
    'void main() { vec3 r = turn * place * scale; n = turn * slope; depth = r.z; gl_Position = seen(r); }',
    'varying vec3 n; varying float depth; void main() { vec3 m = n / max(length(n), 1e-6);' +
    'float light = 0.3 + 0.7 * max(dot(m, vec3(-0.37, 0.46, 0.81)), 0.0);' +
    'gl_FragColor = vec4(vec3(0.42, 0.75, 0.94) * light * (0.8 + 0.2 * clamp(depth, -1.0, 1.0)), 1.0); }');
  function show() {
    var mesh = surface(grid, slider.value - 0.5), m = measures(mesh.places), n = mesh.places.length / 9, value = (slider.value - 0.5) / 255 * grid.top;
    grid.extent = grid.extent || m.far;
    view.dataset.triangles = n; view.dataset.volume = m.volume; view.dataset.area = m.area; view.mesh = mesh;
    view.querySelector('output').textContent = short(value); slider.setAttribute('aria-valuetext', short(value));
    view.querySelector('.found').textContent = n.toLocaleString('en') + ' triangles' +
      (data.unit ? '; they enclose ' + digits(m.volume / 1000) + ' nm³ in ' + digits(m.area / 100) + ' nm²' : '');
    if (!v) return;
    v.attribute('place', mesh.places, v.gl.FLOAT, false); v.attribute('slope', mesh.slopes, v.gl.FLOAT, false);
    v.extent = grid.extent || 1; v.paint = function () { v.gl.drawArrays(v.gl.TRIANGLES, 0, 3 * n); };
    v.draw();
  }
  function choose() { grid = unpack(+choice.value); slider.value = grid.level; show(); }
  // However fast the slider moves, one surface at a time.
  var waiting = 0;
  slider.addEventListener('input', function () { if (!waiting) waiting = setTimeout(function () { waiting = 0; show(); }, 0); });
  choice.addEventListener('change', choose);
  choose();
})();
)js";

}  // namespace aetos::pipeline::report
