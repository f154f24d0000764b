// The atoms and the volume in three dimensions, to be turned. The atoms: positions and classes in the page,
// drawn by a few lines of WebGL.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <exception>

#include "aetos/core/structure.hpp"
#include "aetos/io/json_text.hpp"
#include "aetos/io/png.hpp"
#include "aetos/io/structure_files.hpp"
#include "aetos/pipeline/plan.hpp"
#include "aetos/pipeline/report_page.hpp"
#include "aetos/pipeline/report_sections.hpp"

namespace aetos::pipeline::report {
namespace {

constexpr std::size_t kMostAtoms = 60000;
constexpr std::size_t kDegrees = 5;  ///< classes of the degree of oxidation

/// Atoms in classes, each with a name.
struct Colouring {
  std::string name;
  std::vector<std::string> classes;
  std::vector<std::uint8_t> of_atom;
};

template <class Name>
Colouring by_name(const std::string& title, std::size_t atoms, const Name& name) {
  Colouring c{title, {}, {}};
  for (std::size_t i = 0; i < atoms; ++i) {
    const std::string own = name(i);
    auto at = std::find(c.classes.begin(), c.classes.end(), own);
    if (at == c.classes.end()) at = c.classes.insert(c.classes.end(), own);
    c.of_atom.push_back(static_cast<std::uint8_t>(std::min<std::ptrdiff_t>(255, at - c.classes.begin())));
  }
  return c;
}

template <class T>
const std::vector<T>* column(const Structure& atoms, const std::string& name) {
  const auto found = atoms.columns.find(name);
  if (found == atoms.columns.end() || found->second.width != 1) return nullptr;
  return std::get_if<std::vector<T>>(&found->second.values);
}

std::vector<Colouring> colourings(const Structure& atoms) {
  std::vector<Colouring> all;
  if (const auto* phases = column<std::string>(atoms, "phase"))
    all.push_back(by_name("Phase", atoms.size(), [&](std::size_t i) { return (*phases)[i]; }));
  all.push_back(by_name("Species", atoms.size(),
                        [&](std::size_t i) { return element_symbol(atoms.atomic_number[i]); }));
  if (const auto* degree = column<double>(atoms, "oxidation")) {
    Colouring c{
        "Degree of oxidation", {"0 – 0.2", "0.2 – 0.4", "0.4 – 0.6", "0.6 – 0.8", "0.8 – 1", "none"}, {}};
    for (const double d : *degree)
      c.of_atom.push_back(!(d >= 0)
                              ? static_cast<std::uint8_t>(kDegrees)
                              : static_cast<std::uint8_t>(std::min<double>(kDegrees - 1, d * kDegrees)));
    all.push_back(std::move(c));
  }
  return all;
}

/// Every k-th atom where there are too many for a page.
Structure thinned(Structure atoms) {
  const std::size_t step = (atoms.size() + kMostAtoms - 1) / kMostAtoms;
  if (step <= 1) return atoms;
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < atoms.size(); i += step) kept.push_back(i);
  const auto take = [&](auto& values) {
    std::remove_reference_t<decltype(values)> fewer;
    for (const std::size_t i : kept) fewer.push_back(values[i]);
    values = std::move(fewer);
  };
  take(atoms.position);
  take(atoms.atomic_number);
  std::erase_if(atoms.columns, [](const auto& c) { return c.second.width != 1; });
  for (auto& [name, c] : atoms.columns) std::visit(take, c.values);
  return atoms;
}

std::string bytes_of(const void* data, std::size_t size) {
  std::string bytes(size, '\0');
  std::memcpy(bytes.data(), data, size);
  return io::base64(bytes);
}

/// Places as 16-bit integers of `step_A`, little-endian as every machine with WebGL is.
std::string places(const Structure& atoms, double step_A) {
  std::vector<std::int16_t> v;
  for (const auto& r : atoms.position)
    for (int k = 0; k < 3; ++k)
      v.push_back(static_cast<std::int16_t>(std::clamp(std::lround(r[k] / step_A), -32767L, 32767L)));
  return bytes_of(v.data(), v.size() * sizeof(std::int16_t));
}

// Okabe and Ito's colours, as in the style sheet; grey for the last.
constexpr const char* kScript = R"js(
(function () {
  var view = document.getElementById('view3d'), data = view.querySelector('canvas').dataset;
  var places = new Int16Array(bytesOf(data.places).buffer), n = places.length / 3, step = +data.step, size = +data.size;
  var colours = [[230,159,0],[86,180,233],[0,158,115],[204,121,167],[213,94,0],[240,228,66],[0,114,178],[150,150,150]];
  var v = turningView(view,
    'attribute vec3 colour; uniform float point; varying vec3 c; varying float depth;' +
    'void main() { vec3 r = turn * place * scale; c = colour; depth = r.z; gl_Position = seen(r); gl_PointSize = point; }',
    'varying vec3 c; varying float depth; void main() { vec2 d = 2.0 * gl_PointCoord - 1.0; float q = dot(d, d);' +
    'if (q > 1.0) discard; float light = 0.55 + 0.45 * sqrt(1.0 - q) - 0.25 * (d.x * 0.5 + d.y * 0.5); gl_FragColor = vec4(c * light * (0.8 + 0.2 * clamp(depth, -1.0, 1.0)), 1.0); }');
  if (!v) return;
  v.attribute('place', places, v.gl.SHORT, false); v.extent = +data.radius / step;
  v.paint = function (scale, pixels) {
    v.gl.uniform1f(v.uniform('point'), Math.max(2, size / step * scale * pixels)); v.gl.drawArrays(v.gl.POINTS, 0, n);
  };
  function paint(which) {
    var kinds = bytesOf(data['kinds' + which]), c = new Uint8Array(3 * n), names = JSON.parse(data.names)[which], last = colours.length - 1;
    for (var i = 0; i < n; ++i) for (var k = 0; k < 3; ++k) c[3*i+k] = colours[Math.min(last, names[kinds[i]] === 'other' || names[kinds[i]] === 'none' ? last : kinds[i])][k];
    v.attribute('colour', c, v.gl.UNSIGNED_BYTE, true);
    var key = view.querySelector('.key'); key.textContent = '';
    names.forEach(function (name, i) {
      var s = document.createElement('span'), dot = document.createElement('i');
      dot.style.borderColor = 'rgb(' + colours[Math.min(last, name === 'other' || name === 'none' ? last : i)] + ')'; dot.style.background = dot.style.borderColor;
      s.appendChild(dot); s.appendChild(document.createTextNode(name)); key.appendChild(s);
    });
    v.draw();
  }
  view.querySelector('select').addEventListener('change', function () { paint(+this.value); });
  paint(0); view.dataset.drawn = n;
})();
)js";

std::string atoms_view(const Run& run) {
  const char* name = run.has(files::analyzed_atoms) ? files::analyzed_atoms : files::atoms;
  if (!run.has(name)) return {};
  const auto whole = io::read_structure((run.folder / name).string());
  if (whole.size() == 0) return {};
  const auto total = whole.size();
  const auto atoms = thinned(whole);
  double radius = 1;
  for (const auto& r : atoms.position) radius = std::max(radius, r.norm());
  const double step = radius / 32000;
  const auto all = colourings(atoms);
  nlohmann::json names = nlohmann::json::array();
  std::string kinds, choices;
  for (std::size_t i = 0; i < all.size(); ++i) {
    names.push_back(all[i].classes);
    kinds += fmt::format(" data-kinds{}=\"{}\"", i, bytes_of(all[i].of_atom.data(), all[i].of_atom.size()));
    choices += fmt::format("<option value=\"{}\">{}</option>", i, escape(all[i].name));
  }
  std::string caption;
  if (atoms.size() < total)
    caption = format(static_cast<double>(atoms.size())) + " of " + format(static_cast<double>(total)) +
              " atoms are shown.";
  return figure(
      "Atoms",
      "<div id=\"view3d\" class=\"view3d\">\n<label>Colour <select>" + choices + "</select></label>\n" +
          fmt::format("<canvas tabindex=\"0\" role=\"img\" aria-label=\"The atoms in three dimensions\" "
                      "data-places=\"{}\" data-step=\"{:.8g}\" "
                      "data-radius=\"{:.8g}\" data-size=\"1.3\"{} data-names=\"{}\"></canvas>\n",
                      places(atoms, step), step, radius, kinds, escape(io::json_text(names))) +
          "<p class=\"key\"></p>\n" + kNoView + "</div>\n<script>" + kScript + "</script>\n",
      caption);
}

/// A file that cannot be read costs its view, not the other.
std::string guarded(std::string (*make)(const Run&), const Run& run) {
  try {
    return make(run);
  } catch (const std::exception& e) {
    return paragraph("This view could not be made: " + escape(e.what()));
  }
}

}  // namespace

std::string view_section(const Run& run) {
  std::vector<std::string> views;
  for (auto* make : {atoms_view, surface_part})
    if (auto view = guarded(make, run); !view.empty()) views.push_back(std::move(view));
  if (views.empty()) return {};
  return section("view", "In three dimensions",
                 paragraph("Drag to turn, pinch or use the wheel (after a click) to zoom, or the arrow keys, "
                           "+ and −.") +
                     "<script>" + kTurningScript + "</script>\n" +
                     row(views, static_cast<int>(views.size())));
}

}  // namespace aetos::pipeline::report
