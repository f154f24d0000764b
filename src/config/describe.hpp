#pragma once

#include "aetos/config/master.hpp"
#include "codec.hpp"

/// The one description of every key, by section. Defaults come from the option structs themselves.
namespace aetos::config {

Codec<atoms::SpecimenOptions> describe_specimen();
Codec<multislice::MicroscopeOptions> describe_microscope();
Codec<multislice::DetectorOptions> describe_detector();
Codec<Master> describe_scan();  ///< over Master, which also holds whether scan.pixel_A was given
Codec<tomography::TiltOptions> describe_tilts();
Codec<multislice::MultisliceOptions> describe_multislice();
Codec<PreprocessOptions> describe_preprocess();
Codec<tomography::ReconstructOptions> describe_reconstruct();
Codec<TraceOptions> describe_trace();
Codec<CompareOptions> describe_compare();
Codec<AnalyzeOptions> describe_analyze();
Codec<FileOptions> describe_files();
Codec<CampaignOptions> describe_campaign();
/// The whole config; made once.
const Codec<Master>& describe_master();

/// Settles the stages to run; checks what concerns several keys, and that input files are there.
void validate(Reader& reader, Master& master, const std::vector<Stage>& only_stages);

}  // namespace aetos::config
