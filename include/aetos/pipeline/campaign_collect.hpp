#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "aetos/io/table_file.hpp"
#include "aetos/pipeline/campaign_status.hpp"

namespace aetos::pipeline::campaign {

/// All numbers and words of the members' summaries in one table; a row per member, failed ones included.
/// Columns are dotted ("compare.rmsd_pm"); lists longer than three are left out.
struct Results {
  std::vector<std::string> columns;
  std::vector<nlohmann::json> rows;  ///< objects by column; what a member lacks is absent
};
Results collect(const Campaign& campaign, const std::vector<MemberStatus>& members);

std::string to_csv(const Results& results);
/// The same for HDF5: numbers where all rows that have the column hold numbers or truth values (0, 1), else
/// text.
std::vector<io::TableColumn> to_columns(const Results& results);

/// How far each row lies from the others: the largest |x - median| / median absolute deviation over the
/// measures of quality (R-factor, RMSD, identified share, atoms). 0 where there is nothing to compare.
std::vector<double> outlier_scores(const Results& results);

/// index.html: distributions over the members, outliers first, with a link to each report.
std::string page(const Campaign& campaign, const Results& results);

/// Writes results.csv, results.json, results.h5 and index.html into the campaign's folder.
void write_results(const Campaign& campaign, const Results& results);

}  // namespace aetos::pipeline::campaign
