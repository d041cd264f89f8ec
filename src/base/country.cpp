#include "base/country.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/text.hpp"

namespace trackops {
namespace {

enum class Needs : std::uint8_t { nothing, postal_code, postal_code_and_region };

// A country's forms of postal codes, separated by '|'. In a form '#' is a digit, '@' a letter, '*'
// either, and a capital or a digit is itself. The part in brackets at the end may be missing.
struct Country {
    std::string_view code;
    Needs needs = Needs::nothing;
    std::string_view forms = {};    // "": any text
    std::string_view example = {};  // of the first form, as the post writes it
};

constexpr bool is_digit(char character) { return character >= '0' && character <= '9'; }
constexpr bool is_letter(char character) { return character >= 'A' && character <= 'Z'; }

constexpr bool fits(char element, char character) {
    switch (element) {
        case '#':
            return is_digit(character);
        case '@':
            return is_letter(character);
        case '*':
            return is_digit(character) || is_letter(character);
        default:
            return element == character;
    }
}

// Whether `text`, capitals and digits only, has the form.
constexpr bool has_form(std::string_view form, std::string_view text) {
    for (std::size_t i = 0; i < form.size(); ++i) {
        if (form[i] == '[') {
            if (text.empty()) return true;
        } else if (form[i] != ']') {
            if (text.empty() || !fits(form[i], text.front())) return false;
            text.remove_prefix(1);
        }
    }
    return text.empty();
}

// Calls `visit` with each form until it returns true. Returns whether it did.
template <class Visit>
constexpr bool any_form(std::string_view forms, const Visit& visit) {
    for (;;) {
        const std::size_t end = forms.find('|');
        if (visit(forms.substr(0, end))) return true;
        if (end == std::string_view::npos) return false;
        forms.remove_prefix(end + 1);
    }
}

// People write a country code before a code of digits (D-10115), and leave out one that is part of
// the code (0100 for VC0100).
constexpr std::size_t prefix_letters_max = 3;

constexpr bool is_code(const Country& country, std::string_view text) {
    return any_form(country.forms, [&](std::string_view form) {
        if (has_form(form, text)) return true;
        if (form.starts_with(country.code)) return has_form(form.substr(2), text);
        std::size_t letters = 0;
        while (letters < text.size() && is_letter(text[letters])) ++letters;
        const bool begins_with_digit = form.starts_with('#') || is_digit(form.front());
        return begins_with_digit && letters <= prefix_letters_max &&
               has_form(form, text.substr(letters));
    });
}

// The countries of ISO 3166-1, and XK, which carriers and the European Union use. Sorted.
// A postal code is required where the data of Google's libaddressinput require one
// (cpp/src/region_data_constants.cc, 2025-06-12); the enumerations in contracts/order-schemas.yaml
// are the same. A region is required where these data and the post require one and where neither
// the country nor the postal code implies it. The forms are those of the data, with the codes of
// recent reforms and the first half of a British or Irish code, which people write alone.
constexpr auto countries = std::to_array<Country>({
    {"AD", Needs::nothing, "AD###", "AD500"},
    {"AE"},
    {"AF", Needs::nothing, "####", "1001"},
    {"AG"},
    {"AI", Needs::nothing, "2640", "AI-2640"},
    {"AL", Needs::nothing, "####", "1001"},
    {"AM", Needs::nothing, "####|######", "0010"},
    {"AO"},
    {"AQ"},
    {"AR", Needs::nothing, "####|@####[@@@]", "C1070AAM"},
    {"AS", Needs::postal_code, "96799[####]", "96799"},
    {"AT", Needs::postal_code, "####", "1010"},
    {"AU", Needs::postal_code_and_region, "####", "2060"},
    {"AW"},
    {"AX", Needs::postal_code, "22###", "22150"},
    {"AZ", Needs::nothing, "####", "AZ 1000"},
    {"BA", Needs::nothing, "#####", "71000"},
    {"BB", Needs::nothing, "BB#####", "BB23026"},
    {"BD", Needs::nothing, "####", "1340"},
    {"BE", Needs::postal_code, "####", "4000"},
    {"BF"},
    {"BG", Needs::nothing, "####", "1000"},
    {"BH", Needs::nothing, "###|####", "317"},
    {"BI"},
    {"BJ"},
    {"BL", Needs::postal_code, "97###|98###", "97100"},
    {"BM", Needs::nothing, "@@**", "HM 12"},
    {"BN", Needs::nothing, "@@####", "BT2328"},
    {"BO"},
    {"BQ"},
    {"BR", Needs::postal_code_and_region, "#####[###]", "40301-110"},
    {"BS"},
    {"BT", Needs::nothing, "#####", "11001"},
    {"BV"},
    {"BW"},
    {"BY", Needs::nothing, "######", "220050"},
    {"BZ"},
    {"CA", Needs::postal_code_and_region, "@#@#@#", "K1A 0B1"},
    {"CC", Needs::nothing, "6799", "6799"},
    {"CD"},
    {"CF"},
    {"CG"},
    {"CH", Needs::postal_code, "####", "8001"},
    {"CI"},
    {"CK"},
    {"CL", Needs::nothing, "#######", "8340457"},
    {"CM"},
    {"CN", Needs::postal_code_and_region, "######", "100096"},
    {"CO", Needs::nothing, "######", "111221"},
    {"CR", Needs::nothing, "####|#####|#######", "10101"},
    {"CU"},
    {"CV", Needs::nothing, "####", "7600"},
    {"CW"},
    {"CX", Needs::nothing, "6798", "6798"},
    {"CY", Needs::nothing, "####", "2008"},
    {"CZ", Needs::postal_code, "#####", "100 00"},
    {"DE", Needs::postal_code, "#####", "10115"},
    {"DJ"},
    {"DK", Needs::postal_code, "####", "1566"},
    {"DM"},
    {"DO", Needs::nothing, "#####", "10101"},
    {"DZ", Needs::nothing, "#####", "16027"},
    {"EC", Needs::nothing, "######|@####@|@@######", "090105"},
    {"EE", Needs::postal_code, "#####", "11212"},
    {"EG", Needs::nothing, "#####|#######", "4460232"},
    {"EH", Needs::nothing, "#####", "70000"},
    {"ER"},
    {"ES", Needs::postal_code, "#####", "28039"},
    {"ET", Needs::nothing, "####", "1000"},
    {"FI", Needs::postal_code, "#####", "00550"},
    {"FJ"},
    {"FK", Needs::postal_code, "FIQQ1ZZ", "FIQQ 1ZZ"},
    {"FM", Needs::postal_code, "9694#[####]", "96941"},
    {"FO", Needs::nothing, "###", "100"},
    {"FR", Needs::postal_code, "#####", "33380"},
    {"GA"},
    {"GB", Needs::postal_code,
     "@#[#@@]|@##[#@@]|@@#[#@@]|@@##[#@@]|@#@[#@@]|@@#@[#@@]|GIR0AA|BFPO#|BFPO##|BFPO###|BFPO####",
     "SW1Y 4JH"},
    {"GD"},
    {"GE", Needs::nothing, "####", "0101"},
    {"GF", Needs::postal_code, "97###|98###", "97300"},
    {"GG", Needs::postal_code, "GY#[#@@]|GY##[#@@]", "GY1 1AA"},
    {"GH"},
    {"GI", Needs::nothing, "GX111AA", "GX11 1AA"},
    {"GL", Needs::postal_code, "39##|2412", "3900"},
    {"GM"},
    {"GN", Needs::nothing, "###", "001"},
    {"GP", Needs::postal_code, "97###|98###", "97100"},
    {"GQ"},
    {"GR", Needs::postal_code, "#####", "151 24"},
    {"GS", Needs::postal_code, "SIQQ1ZZ", "SIQQ 1ZZ"},
    {"GT", Needs::nothing, "#####", "01501"},
    {"GU", Needs::postal_code, "969##[####]", "96910"},
    {"GW", Needs::nothing, "####", "1000"},
    {"GY"},
    {"HK"},
    {"HM", Needs::nothing, "####", "7050"},
    {"HN", Needs::nothing, "#####|@@####", "31301"},
    {"HR", Needs::nothing, "#####", "10000"},
    {"HT", Needs::nothing, "####", "6120"},
    {"HU", Needs::postal_code, "####", "1037"},
    {"ID", Needs::nothing, "#####", "40115"},
    {"IE", Needs::nothing, "@##[****]|D6W[****]", "A65 F4E2"},
    {"IL", Needs::nothing, "#####[##]", "9614303"},
    {"IM", Needs::postal_code, "IM#[#@@]|IM##[#@@]", "IM2 1AA"},
    {"IN", Needs::postal_code_and_region, "######", "110034"},
    {"IO", Needs::postal_code, "BBND1ZZ", "BBND 1ZZ"},
    {"IQ", Needs::nothing, "#####", "31001"},
    {"IR", Needs::nothing, "##########", "11936-12345"},
    {"IS", Needs::nothing, "###", "101"},
    {"IT", Needs::postal_code, "#####", "00144"},
    {"JE", Needs::postal_code, "JE#[#@@]|JE##[#@@]", "JE1 1AA"},
    {"JM"},
    {"JO", Needs::nothing, "#####", "11937"},
    {"JP", Needs::postal_code, "#######", "154-0023"},
    {"KE", Needs::nothing, "#####", "00100"},
    {"KG", Needs::nothing, "######", "720001"},
    {"KH", Needs::nothing, "#####|######", "120101"},
    {"KI"},
    {"KM"},
    {"KN"},
    {"KP"},
    {"KR", Needs::postal_code, "#####|######", "03051"},
    {"KW", Needs::nothing, "#####", "13009"},
    {"KY", Needs::nothing, "KY#####", "KY1-1100"},
    {"KZ", Needs::nothing, "######|@##@#@#", "040900"},
    {"LA", Needs::nothing, "#####", "01000"},
    {"LB", Needs::nothing, "####[####]", "1107 2810"},
    {"LC"},
    {"LI", Needs::postal_code, "94##", "9490"},
    {"LK", Needs::nothing, "#####", "00100"},
    {"LR", Needs::nothing, "####", "1000"},
    {"LS", Needs::nothing, "###", "100"},
    {"LT", Needs::postal_code, "#####", "LT-04340"},
    {"LU", Needs::postal_code, "####", "2998"},
    {"LV", Needs::postal_code, "####", "LV-1073"},
    {"LY"},
    {"MA", Needs::nothing, "#####", "10000"},
    {"MC", Needs::nothing, "980##", "98000"},
    {"MD", Needs::nothing, "####", "MD-2012"},
    {"ME", Needs::nothing, "8####", "81257"},
    {"MF", Needs::postal_code, "97###|98###", "97100"},
    {"MG", Needs::nothing, "###", "101"},
    {"MH", Needs::postal_code, "969##[####]", "96960"},
    {"MK", Needs::nothing, "####", "1000"},
    {"ML"},
    {"MM", Needs::nothing, "#####|#######", "11181"},
    {"MN", Needs::nothing, "#####[#]", "65030"},
    {"MO"},
    {"MP", Needs::postal_code, "9695#[####]", "96950"},
    {"MQ", Needs::postal_code, "97###|98###", "97220"},
    {"MR"},
    {"MS"},
    {"MT", Needs::nothing, "@@@##[##]|@@@###", "VCT 1753"},
    {"MU", Needs::nothing, "#####|###@@###", "42602"},
    {"MV", Needs::nothing, "#####", "20026"},
    {"MW"},
    {"MX", Needs::postal_code_and_region, "#####", "06082"},
    {"MY", Needs::postal_code, "#####", "50670"},
    {"MZ", Needs::nothing, "####", "1102"},
    {"NA"},
    {"NC", Needs::postal_code, "988##", "98800"},
    {"NE", Needs::nothing, "####", "8001"},
    {"NF", Needs::nothing, "2899", "2899"},
    {"NG", Needs::nothing, "######", "300001"},
    {"NI", Needs::nothing, "#####", "52000"},
    {"NL", Needs::postal_code, "####@@", "1234 AB"},
    {"NO", Needs::postal_code, "####", "0107"},
    {"NP", Needs::nothing, "#####", "44601"},
    {"NR"},
    {"NU"},
    {"NZ", Needs::postal_code, "####", "6015"},
    {"OM", Needs::nothing, "###|PC###", "112"},
    {"PA"},
    {"PE", Needs::nothing, "#####|LIMA#[#]|CALLAO#[#]", "02001"},
    {"PF", Needs::postal_code, "987##", "98709"},
    {"PG", Needs::nothing, "###", "111"},
    {"PH", Needs::nothing, "####", "1000"},
    {"PK", Needs::nothing, "#####", "44000"},
    {"PL", Needs::postal_code, "#####", "00-950"},
    {"PM", Needs::postal_code, "97###|98###", "97500"},
    {"PN", Needs::postal_code, "PCRN1ZZ", "PCRN 1ZZ"},
    {"PR", Needs::postal_code, "00###[####]", "00930"},
    {"PS"},
    {"PT", Needs::postal_code, "#######|####", "1250-096"},
    {"PW", Needs::postal_code, "969##[####]", "96940"},
    {"PY", Needs::nothing, "####|######", "1536"},
    {"QA"},
    {"RE", Needs::postal_code, "97###|98###", "97400"},
    {"RO", Needs::postal_code, "######", "060274"},
    {"RS", Needs::nothing, "#####|######", "11000"},
    {"RU", Needs::postal_code, "######", "103375"},
    {"RW"},
    {"SA", Needs::nothing, "#####[####]", "11564"},
    {"SB"},
    {"SC"},
    {"SD"},
    {"SE", Needs::postal_code, "#####", "114 55"},
    {"SG", Needs::postal_code, "######", "546080"},
    {"SH", Needs::postal_code, "ASCN1ZZ|STHL1ZZ|TDCU1ZZ", "STHL 1ZZ"},
    {"SI", Needs::nothing, "####", "1000"},
    {"SJ", Needs::postal_code, "####", "9170"},
    {"SK", Needs::postal_code, "#####", "010 01"},
    {"SL"},
    {"SM", Needs::postal_code, "4789#", "47890"},
    {"SN", Needs::nothing, "#####", "12500"},
    {"SO", Needs::nothing, "#####|@@#####", "JH 09010"},
    {"SR"},
    {"SS"},
    {"ST"},
    {"SV", Needs::nothing, "####|CP####", "1101"},
    {"SX"},
    {"SY"},
    {"SZ", Needs::nothing, "@###", "H100"},
    {"TC", Needs::postal_code, "TKCA1ZZ", "TKCA 1ZZ"},
    {"TD"},
    {"TF"},
    {"TG"},
    {"TH", Needs::nothing, "#####", "10150"},
    {"TJ", Needs::nothing, "######", "735450"},
    {"TK"},
    {"TL"},
    {"TM", Needs::nothing, "######", "744000"},
    {"TN", Needs::nothing, "####", "1002"},
    {"TO"},
    {"TR", Needs::postal_code, "#####", "06101"},
    {"TT"},
    {"TV"},
    {"TW", Needs::postal_code, "###[##]|######", "10603"},
    {"TZ", Needs::nothing, "####|#####", "6090"},
    {"UA", Needs::postal_code, "#####", "01001"},
    {"UG"},
    {"UM"},
    {"US", Needs::postal_code_and_region, "#####[####]", "95014"},
    {"UY", Needs::nothing, "#####", "11600"},
    {"UZ", Needs::nothing, "######", "702100"},
    {"VA", Needs::nothing, "00120", "00120"},
    {"VC", Needs::nothing, "VC####", "VC0100"},
    {"VE", Needs::nothing, "####[@]", "1010"},
    {"VG", Needs::nothing, "VG####", "VG1110"},
    {"VI", Needs::postal_code, "008##[####]", "00802"},
    {"VN", Needs::nothing, "#####|######", "70010"},
    {"VU"},
    {"WF", Needs::postal_code, "986##", "98600"},
    {"WS"},
    {"XK", Needs::nothing, "#####", "10000"},
    {"YE"},
    {"YT", Needs::postal_code, "976##", "97600"},
    {"ZA", Needs::postal_code, "####", "0083"},
    {"ZM", Needs::nothing, "#####", "50100"},
    {"ZW"},
});

// The text without blanks and hyphens that is in the example of a row.
constexpr bool example_has_a_form(const Country& country) {
    std::array<char, 32> letters{};
    std::size_t count = 0;
    for (const char character : country.example) {
        if (character != ' ' && character != '-') letters.at(count++) = character;
    }
    return is_code(country, {letters.data(), count});
}

constexpr bool is_form(std::string_view form) {
    const std::size_t open = form.find('[');
    if (open == 0 || (open != std::string_view::npos && form.find(']') + 1 != form.size()))
        return false;
    return !form.empty() && std::ranges::all_of(form, [](char element) {
        return is_digit(element) || is_letter(element) ||
               std::string_view("#@*[]").find(element) != std::string_view::npos;
    });
}

constexpr bool is_well_formed(const Country& country) {
    if (country.forms.empty()) return country.example.empty() && country.needs == Needs::nothing;
    return example_has_a_form(country) &&
           !any_form(country.forms, [](std::string_view form) { return !is_form(form); });
}

static_assert(countries.size() == 250);
static_assert(std::ranges::adjacent_find(countries, std::ranges::greater_equal(), &Country::code) ==
              countries.end());
static_assert(std::ranges::all_of(countries, is_well_formed));

const Country* find_country(std::string_view code) {
    const auto* const found = std::ranges::lower_bound(countries, code, {}, &Country::code);
    return found != countries.end() && found->code == code ? found : nullptr;
}

constexpr bool is_between(char32_t character, char32_t first, char32_t last) {
    return character >= first && character <= last;
}

// Returns the capital or digit that the character stands for, in ASCII; nothing for another one.
std::optional<char> plain_character(char32_t character) {
    constexpr auto zeros =
        std::to_array<char32_t>({U'0', U'\u0660', U'\u06F0', U'\u0966', U'\uFF10'});
    for (const char32_t zero : zeros) {
        if (is_between(character, zero, zero + 9))
            return static_cast<char>('0' + (character - zero));
    }
    constexpr auto first_letters = std::to_array<char32_t>({U'A', U'a', U'\uFF21', U'\uFF41'});
    for (const char32_t first : first_letters) {
        if (is_between(character, first, first + 25))
            return static_cast<char>('A' + (character - first));
    }
    return std::nullopt;
}

// Whether people write the character between the characters of a postal code: blanks, hyphens,
// points, and the postal mark of Japan.
bool is_separator(char32_t character) {
    constexpr std::u32string_view others = U" .-\u00A0\u2212\u202F\u3000\u3012\u30FC\uFE63\uFF0D";
    return is_between(character, U'\u2000', U'\u2015') ||
           others.find(character) != std::u32string_view::npos;
}

}  // namespace

bool is_country(std::string_view code) { return find_country(code) != nullptr; }

bool needs_postal_code(std::string_view country) {
    const Country* const found = find_country(country);
    return found != nullptr && found->needs != Needs::nothing;
}

bool needs_region(std::string_view country) {
    const Country* const found = find_country(country);
    return found != nullptr && found->needs == Needs::postal_code_and_region;
}

bool is_postal_code(std::string_view country, std::string_view text) {
    const Country* const found = find_country(country);
    if (found == nullptr || found->forms.empty()) return true;
    std::string plain;
    while (!text.empty()) {
        const char32_t character = take_character(text);
        if (is_separator(character)) continue;
        const auto known = plain_character(character);
        if (!known) return false;
        plain += *known;
    }
    return is_code(*found, plain);
}

std::string_view postal_code_example(std::string_view country) {
    const Country* const found = find_country(country);
    return found == nullptr ? std::string_view() : found->example;
}

}  // namespace trackops
