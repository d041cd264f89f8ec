#include "base/country.hpp"

#include "base/code_list.hpp"

namespace trackops {
namespace {

// ISO 3166-1 alpha-2, and XK, which carriers and the European Union use. Sorted.
constexpr std::string_view countries =
    "ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICK"
    "CLCMCNCOCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGS"
    "GTGUGWGYHKHMHNHRHTHUIDIEILIMINIOIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULV"
    "LYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPM"
    "PNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTR"
    "TTTVTWTZUAUGUMUSUYUZVAVCVEVGVIVNVUWFWSXKYEYTZAZMZW";
static_assert(is_sorted_list(countries, 2) && countries.size() / 2 == 250);

// The countries whose address format has Z in its member "require" in the data of Google's
// libaddressinput (cpp/src/region_data_constants.cc, 2025-06-12). Sorted. The enumeration in
// contracts/order-schemas.yaml is the same list.
constexpr std::string_view postal_code_countries =
    "ASATAUAXBEBLBRCACHCNCZDEDKEEESFIFKFMFRGBGFGGGLGPGRGSGUHUIMINIOITJEJPKRLILTLULVMFMHMPMQMXMY"
    "NCNLNONZPFPLPMPNPRPTPWRERORUSESGSHSJSKSMTCTRTWUAUSVIWFYTZA";
static_assert(is_sorted_list(postal_code_countries, 2));

}  // namespace

bool is_country(std::string_view code) { return is_listed(countries, 2, code); }
bool needs_postal_code(std::string_view country) {
    return is_listed(postal_code_countries, 2, country);
}

}  // namespace trackops
