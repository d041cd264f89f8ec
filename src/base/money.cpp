#include "base/money.hpp"

#include <algorithm>

namespace trackops {
namespace {

// ISO 4217:2015 list one, amendments up to 177 (2025). Sorted.
constexpr std::string_view currencies =
    "AEDAFNALLAMDAOAARSAUDAWGAZNBAMBBDBDTBGNBHDBIFBMDBNDBOBBRLBSDBTNBWPBYNBZDCADCDFCHFCLPCNYCOPCRCC"
    "UPCVECZKDJFDKKDOPDZDEGPERNETBEUR"
    "FJDFKPGBPGELGHSGIPGMDGNFGTQGYDHKDHNLHTGHUFIDRILSINRIQDIRRISKJMDJODJPYKESKGSKHRKMFKPWKRWKWDKYDK"
    "ZTLAKLBPLKRLRDLSLLYDMADMDLMGAMKD"
    "MMKMNTMOPMRUMURMVRMWKMXNMYRMZNNADNGNNIONOKNPRNZDOMRPABPENPGKPHPPKRPLNPYGQARRONRSDRUBRWFSARSBDS"
    "CRSDGSEKSGDSHPSLESOSSRDSSPSTNSVC"
    "SYPSZLTHBTJSTMTTNDTOPTRYTTDTWDTZSUAHUGXUSDUYUUZSVEDVESVNDVUVWSTXAFXCDXCGXOFXPFYERZARZMWZWG";

// ISO 3166-1 alpha-2, sorted.
constexpr std::string_view countries =
    "ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICKCLCM"
    "CNCOCRCUCVCWCXCYCZDEDJDKDMDODZEC"
    "EEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHMHNHRHTHUIDIEILIMINIOIQIRISIT"
    "JEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLA"
    "LBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPA"
    "PEPFPGPHPKPLPMPNPRPSPTPWPYQARERO"
    "RSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZVA"
    "VCVEVGVIVNVUWFWSYEYTZAZMZW";

constexpr bool listed(std::string_view list, std::size_t width, std::string_view code) {
    if (code.size() != width) return false;
    std::size_t low = 0;
    std::size_t high = list.size() / width;
    while (low < high) {
        const std::size_t middle = (low + high) / 2;
        const std::string_view entry = list.substr(middle * width, width);
        if (entry == code) return true;
        if (entry < code) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

constexpr bool sorted(std::string_view list, std::size_t width) {
    for (std::size_t i = width; i < list.size(); i += width) {
        if (!(list.substr(i - width, width) < list.substr(i, width))) return false;
    }
    return list.size() % width == 0;
}
static_assert(sorted(currencies, 3));
static_assert(sorted(countries, 2) && countries.size() / 2 == 249);

}  // namespace

bool is_currency(std::string_view code) { return listed(currencies, 3, code); }
bool is_country(std::string_view code) { return listed(countries, 2, code); }

}  // namespace trackops
