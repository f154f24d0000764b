#include "aetos/io/yaml_document.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "aetos/core/error.hpp"
#include "aetos/core/random.hpp"

namespace aetos::io {
namespace {

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const InputError& e) {
    return e.what();
  }
  return "no error";
}

std::string refusal(const std::string& text) {
  return error_of([&] { parse_yaml(text, "x.yaml"); });
}

YamlNode scalar(const std::string& text) {
  return *parse_yaml(std::string("v: ").append(text), "x.yaml").find("v");
}

void expect_contains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "'" << part << "' is not in '" << text << "'";
}

TEST(YamlDocument, KeepsOrderPlacesAndQuotes) {
  const auto root = parse_yaml("a: 1\nb:\n  - x\n  - \"y\"\nc: {d: [1, 2]}\n", "x.yaml");
  ASSERT_EQ(root.members.size(), 3u);
  EXPECT_EQ(root.members[0].first, "a");
  EXPECT_EQ(root.find("a")->place, "x.yaml:1");
  EXPECT_EQ(root.find("b")->items[1].place, "x.yaml:4");
  EXPECT_FALSE(root.find("b")->items[0].quoted);
  EXPECT_TRUE(root.find("b")->items[1].quoted);
  EXPECT_EQ(root.find("c")->find("d")->items.size(), 2u);
  EXPECT_EQ(root.find("absent"), nullptr);
}

TEST(YamlDocument, RefusesADuplicateKeyWithBothLines) {
  const auto message = refusal("a:\n  b: 1\n  c: 2\n  b: 3\n");
  expect_contains(message, "x.yaml:4");
  expect_contains(message, "x.yaml:2");
  expect_contains(message, "'b'");
}

TEST(YamlDocument, TheSameKeyInTwoMapsIsFine) {
  EXPECT_NO_THROW(parse_yaml("- {name: a}\n- {name: b}\n", "x.yaml"));
}

TEST(YamlDocument, RefusesASecondDocument) {
  expect_contains(refusal("a: 1\n---\na: 2\n"), "second YAML document");
  expect_contains(refusal("a: 1\n---\n"), "second YAML document");
  EXPECT_NO_THROW(parse_yaml("---\na: 1\n...\n", "x.yaml"));
}

TEST(YamlDocument, RefusesTabsAsIndentationWithTheirLine) {
  const auto message = refusal("a:\n\tb: 1\n");
  expect_contains(message, "x.yaml:2");
  expect_contains(message, "tab");
  EXPECT_NO_THROW(parse_yaml("a: 1\t# a comment after a tab\n\t\n\t# another\n", "x.yaml"));
}

TEST(YamlDocument, TakesByteOrderMarkAndCarriageReturns) {
  const auto root = parse_yaml(
      "\xEF\xBB\xBF"
      "a: 1\r\nb:\r\n  c: x\r\n",
      "x.yaml");
  EXPECT_EQ(as_integer(*root.find("a")), 1);
  EXPECT_EQ(root.find("b")->find("c")->scalar, "x");
}

TEST(YamlDocument, RefusesAliasesThatContainThemselves) {
  expect_contains(refusal("a: &a [*a]\n"), "contains itself");
  expect_contains(refusal("a: &a {b: *a}\n"), "contains itself");
}

TEST(YamlDocument, CopiesAliasesButNotWithoutEnd) {
  EXPECT_EQ(parse_yaml("a: &x 3\nb: *x\n", "x.yaml").find("b")->scalar, "3");
  std::string bomb = "a: &a [1,1,1,1,1,1,1,1,1,1]\n";
  for (char c = 'b'; c < 'k'; ++c) {
    bomb.append(1, c).append(": &").append(1, c).append(" [");
    for (int i = 0; i < 10; ++i) bomb.append(i > 0 ? ",*" : "*").append(1, static_cast<char>(c - 1));
    bomb += "]\n";
  }
  expect_contains(refusal(bomb), "more than a million values");
}

TEST(YamlDocument, RefusesMergeKeysTagsAndOddKeys) {
  expect_contains(refusal("a: &a {b: 1}\nc:\n  <<: *a\n"), "merge key");
  expect_contains(refusal("a: !thing 1\n"), "tag");
  expect_contains(refusal("? [a]\n: 1\n"), "as a key");
  expect_contains(refusal("~: 1\n"), "empty key");
}

TEST(YamlDocument, RefusesBrokenTextWithALine) {
  expect_contains(refusal("a: {b: 1\nc: 2\n"), "x.yaml:");
  expect_contains(refusal("a: b: c\n"), "x.yaml:1");
  expect_contains(refusal("a: *nobody\n"), "x.yaml:1");
  expect_contains(refusal("a: 1\nb: \"\xE9\"\n"), "x.yaml:2: a character that is not UTF-8");
  expect_contains(refusal(std::string("a: \0", 4)), "binary");
  EXPECT_NE(refusal(std::string("a: ").append(100000, '[')), "no error");
  expect_contains(refusal(std::string("a: ").append(100, '[').append(100, ']')), "too deeply");
}

TEST(YamlDocument, RefusesAFolderAndAMissingFile) {
  expect_contains(error_of([] { read_yaml_file("/"); }), "folder");
  expect_contains(error_of([] { read_yaml_file("/nowhere/x.yaml"); }), "/nowhere/x.yaml");
}

TEST(YamlDocument, ReadsEveryNumberAsDecimal) {
  EXPECT_EQ(as_integer(scalar("010")), 10);
  EXPECT_EQ(as_integer(scalar("08")), 8);
  EXPECT_EQ(as_integer(scalar("1e3")), 1000);
  EXPECT_EQ(as_integer(scalar("200.0")), 200);
  EXPECT_EQ(as_integer(scalar("-3")), -3);
  EXPECT_EQ(as_integer(scalar("+3")), 3);
  EXPECT_DOUBLE_EQ(as_number(scalar(".5")), 0.5);
  EXPECT_DOUBLE_EQ(as_number(scalar("3.E-06")), 3e-6);
  EXPECT_EQ(as_unsigned(scalar("18446744073709551615")), 18446744073709551615u);
}

TEST(YamlDocument, RefusesWhatIsNoDecimalNumber) {
  for (const char* text : {"0x10", "0o10",  "1_000", ".nan",   ".inf",  "-.inf",   "nan", "inf", "\"30\"",
                           "'30'", "1e999", "1,5",   "50 A",   "300kV", "1.0D+00", "1e",  "e5",  ".",
                           "-",    "yes",   "[1]",   "{a: 1}", "~",     "1.5.2",   "--1"})
    EXPECT_THROW(as_number(scalar(text)), InputError) << text;
  for (const char* text : {"1.5", "1e300", "1e-3"})
    EXPECT_THROW(as_integer(scalar(text)), InputError) << text;
  for (const char* text : {"-1", "18446744073709551616", "0.5"})
    EXPECT_THROW(as_unsigned(scalar(text)), InputError) << text;
  expect_contains(error_of([] { as_number(scalar("50 A")); }), "'50 A'; expected a number, without a unit");
  expect_contains(error_of([] { as_number(scalar("\"30\"")); }), "a number without quotes");
  expect_contains(error_of([] { as_number(scalar("1_000")); }), "no separators");
  expect_contains(error_of([] { as_integer(scalar("1.5")); }), "a whole number");
}

TEST(YamlDocument, LogicalValuesAreTrueAndFalseAlone) {
  EXPECT_TRUE(as_boolean(scalar("true")));
  EXPECT_FALSE(as_boolean(scalar("false")));
  for (const char* text : {"yes", "on", "1", "True", "Y"}) {
    const auto message = error_of([&] { as_boolean(scalar(text)); });
    expect_contains(message, "write true");
  }
  for (const char* text : {"no", "off", "0", "N"})
    expect_contains(error_of([&] { as_boolean(scalar(text)); }), "write false");
  EXPECT_THROW(as_boolean(scalar("\"true\"")), InputError);
}

TEST(YamlDocument, ElementSymbolsStayText) {
  const auto list = parse_yaml("[Y, N, No, yes]", "x.yaml");
  EXPECT_EQ(as_text(list.items[0]), "Y");
  EXPECT_EQ(as_text(list.items[1]), "N");
  EXPECT_EQ(as_text(list.items[2]), "No");
}

TEST(YamlDocument, SetsByPath) {
  auto root = parse_yaml("a: {b: 1}\nlist:\n  - {x: 1}\n", "x.yaml");
  set_by_path(root, "a.b", "2");
  set_by_path(root, "a.c.d", "[1, 2]");
  set_by_path(root, "list.0.x", "5");
  set_by_path(root, "list.1.x", "6");
  set_by_path(root, "new", "text");
  EXPECT_EQ(root.find("a")->find("b")->scalar, "2");
  EXPECT_EQ(root.find("a")->find("b")->place, "--set a.b");
  EXPECT_EQ(root.find("a")->find("c")->find("d")->items.size(), 2u);
  EXPECT_EQ(root.find("list")->items[0].find("x")->scalar, "5");
  EXPECT_EQ(root.find("list")->items[1].find("x")->scalar, "6");
  EXPECT_EQ(root.find("new")->scalar, "text");
}

TEST(YamlDocument, SetsByPathOnAnEmptyDocumentAndOverAWord) {
  auto empty = parse_yaml("", "x.yaml");
  set_by_path(empty, "a.b", "1");
  EXPECT_EQ(empty.find("a")->find("b")->scalar, "1");
  auto root = parse_yaml("window: full\n", "x.yaml");
  set_by_path(root, "window.width_A", "10");
  EXPECT_EQ(root.find("window")->find("width_A")->scalar, "10");
}

TEST(YamlDocument, RefusesABadSet) {
  auto root = parse_yaml("list: [1]\n", "x.yaml");
  expect_contains(error_of([&] { set_by_path(root, "list.5", "1"); }), "--set list.5");
  expect_contains(error_of([&] { set_by_path(root, "list.x", "1"); }), "list item");
  expect_contains(error_of([&] { set_by_path(root, "a..b", "1"); }), "joined by dots");
  expect_contains(error_of([&] { set_by_path(root, "", "1"); }), "joined by dots");
  expect_contains(error_of([&] { set_by_path(root, "a", ""); }), "KEY=VALUE");
  expect_contains(error_of([&] { set_by_path(root, "a", "[1"); }), "--set a");
}

TEST(YamlDocument, WritesWhatItReads) {
  const auto node = yaml_map({{"n", yaml_number(0.1)},
                              {"whole", yaml_number(30)},
                              {"text", yaml_text("a \"b\" \\ c\n: {x}")},
                              {"list", yaml_list({yaml_plain("auto"), yaml_text("No")})},
                              {"No", yaml_map({{"Y", yaml_number(1e-7)}})}});
  const auto text = yaml_block(node, 1);
  const auto back = parse_yaml(text, "x.yaml");
  EXPECT_EQ(yaml_block(back, 1), text);
  EXPECT_EQ(back.find("text")->scalar, "a \"b\" \\ c\n: {x}");
  EXPECT_DOUBLE_EQ(as_number(*back.find("n")), 0.1);
  expect_contains(text, "\"No\": {\"Y\": 1.0e-07}");  // other YAML readers take them for logical values
}

/// Whatever the bytes: a tree or an InputError, never a crash or another exception.
TEST(YamlDocument, SurvivesMutatedText) {
  const std::string base =
      "a: &x {b: [1, 2.5e-3, \"q\"], c: 'it''s'}\nd: *x\ne: |\n  block\n  text\nf:\n  - - nested\n  - ? k\n  "
      "  : v\n# end\n";
  using namespace std::string_literals;
  const std::string bytes = "\0\t\n\r :,[]{}&*!|>'\"%@`#-?<=~\\0x\xEF\xBB\xBF\xC3"s;
  for (std::uint32_t round = 0; round < 3000; ++round) {
    std::string text = base;
    for (std::uint32_t change = 0; change < 1 + round % 4; ++change) {
      const auto words = random::words(7, random::Domain::test, {round, change, 0});
      const std::size_t at = words[0] % text.size();
      if (words[1] % 3 == 0)
        text.erase(at, 1 + words[2] % 5);
      else
        text.insert(at, 1, bytes[words[2] % bytes.size()]);
      if (text.empty()) text.push_back('a');
    }
    try {
      parse_yaml(text, "x.yaml");
    } catch (const InputError&) {
    }
  }
}

}  // namespace
}  // namespace aetos::io
