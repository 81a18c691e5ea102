// SPDX-License-Identifier: Apache-2.0
// The C++ API for Python, as plain as it is; python/modicum gives it names,
// units and documentation. Calls that may wait leave the interpreter to others.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <exception>
#include <modicum/meter.hpp>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace py = pybind11;

namespace {

using Unlocked = py::call_guard<py::gil_scoped_release>;

// mid, low, high, origin, scope
using Figure = std::tuple<double, double, double, int, int>;

template <class Q>
Figure Of(const modicum::Estimate<Q>& estimate) {
  return {estimate.mid.value(), estimate.low.value(), estimate.high.value(),
          static_cast<int>(estimate.origin), static_cast<int>(estimate.scope)};
}

template <class Q>
std::optional<Figure> Of(const std::optional<modicum::Estimate<Q>>& estimate) {
  if (!estimate) return std::nullopt;
  return Of(*estimate);
}

// What modicum.Error is made of: its class comes from Python.
void RaiseAs(const py::object& type, const modicum::Error& error) {
  PyErr_SetObject(type.ptr(), py::make_tuple(error.what(), error.hint(),
                                             static_cast<int>(error.code()))
                                  .ptr());
}

using Text = std::optional<std::string>;
using Number = std::optional<double>;

modicum::Options OptionsOf(Text region, Text provider, Number intensity,
                           Number market_intensity, Text intensity_file,
                           Number pue, Number wue, Number tariff, Text currency,
                           Text probe, Text idle_policy, Number sample_hz,
                           Text project, Text ledger, bool record,
                           int subject) {
  modicum::Options options;
  options.region = std::move(region);
  options.provider = std::move(provider);
  options.intensity = intensity;
  options.market_intensity = market_intensity;
  options.intensity_file = std::move(intensity_file);
  options.pue = pue;
  options.wue = wue;
  options.tariff = tariff;
  options.currency = std::move(currency);
  options.probe = std::move(probe);
  options.idle_policy = std::move(idle_policy);
  options.sample_hz = sample_hz;
  options.project = std::move(project);
  options.ledger = std::move(ledger);
  options.record = record;
  options.subject = static_cast<modicum::Subject>(subject);
  return options;
}

void AddResult(py::module_& library) {
  using modicum::Result;
  py::class_<Result>(library, "Result")
      .def("name", &Result::name)
      .def("run_id", &Result::run_id)
      .def("wall", [](const Result& r) { return r.wall().value(); })
      .def("cpu", [](const Result& r) { return r.cpu().value(); })
      .def("energy", [](const Result& r) { return Of(r.energy()); })
      .def("measured", [](const Result& r) { return Of(r.measured()); })
      .def("components",
           [](const Result& r) {
             std::vector<std::tuple<std::string, std::string, Figure>> parts;
             for (const modicum::Component& part : r.components())
               parts.emplace_back(part.component, part.probe, Of(part.energy));
             return parts;
           })
      .def("carbon", [](const Result& r) { return Of(r.carbon()); })
      .def("market_carbon",
           [](const Result& r) { return Of(r.market_carbon()); })
      .def("embodied", [](const Result& r) { return Of(r.embodied()); })
      .def("water", [](const Result& r) { return Of(r.water()); })
      .def(
          "money",
          [](const Result& r) -> std::optional<std::pair<Figure, std::string>> {
            const auto money = r.money();
            if (!money) return std::nullopt;
            return std::pair(Of(money->amount), money->currency);
          })
      .def("place", &Result::place)
      .def("pue", &Result::pue)
      .def("contended", &Result::contended)
      .def("short_window", &Result::short_window)
      .def("warnings", &Result::warnings)
      .def("missing", &Result::missing)
      .def("phases", &Result::phases)
      .def("record_error", &Result::record_error)
      .def("bill", &Result::bill)
      .def("json", &Result::json)
      .def("csv", &Result::csv)
      .def("append_csv", &Result::AppendCsv, Unlocked());
}

}  // namespace

PYBIND11_MODULE(_modicum, library) {
  library.def("version", &modicum_version);
  // Called once by modicum/__init__.py.
  library.def("set_error", [](const py::object& type) {
    static py::object* error_type = nullptr;  // lives as long as the process
    if (error_type == nullptr)
      py::register_exception_translator([](std::exception_ptr thrown) {
        try {
          if (thrown) std::rethrow_exception(thrown);
        } catch (const modicum::Error& error) {
          RaiseAs(*error_type, error);
        }
      });
    error_type = new py::object(type);
  });
  AddResult(library);
  py::class_<modicum::Window>(library, "Window")
      .def("phase", &modicum::Window::Phase, Unlocked())
      .def("end_phase", &modicum::Window::EndPhase, Unlocked())
      .def("peek", &modicum::Window::Peek, Unlocked())
      .def("end", &modicum::Window::End, Unlocked());
  py::class_<modicum::Meter>(library, "Meter")
      .def(py::init([](Text region, Text provider, Number intensity,
                       Number market_intensity, Text intensity_file, Number pue,
                       Number wue, Number tariff, Text currency, Text probe,
                       Text idle_policy, Number sample_hz, Text project,
                       Text ledger, bool record, int subject) {
        return modicum::Meter(OptionsOf(
            std::move(region), std::move(provider), intensity, market_intensity,
            std::move(intensity_file), pue, wue, tariff, std::move(currency),
            std::move(probe), std::move(idle_policy), sample_hz,
            std::move(project), std::move(ledger), record, subject));
      }))
      .def(
          "begin",
          [](const modicum::Meter& meter, const std::string& name, bool exact) {
            return meter.Begin(
                name, exact ? modicum::Edge::kExact : modicum::Edge::kStamped);
          },
          Unlocked());
}
