# ruff: noqa: RUF001 - letters that look like others are what these names are about
"""What the demonstration's people are called: made up, part by part, as names are built in many places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from registry.domain.vocabulary import NameKind
from registry.store.people import NewName

FIVE = 5


@dataclass(frozen=True, slots=True)
class Custom:
    """How names are made somewhere: five of each part, a language, and which part leads.

    :param scripts: the same names as their bearers write them, kept as legal names: family, then given.
    """

    given: str
    family: str
    language: str = "en"
    family_first: bool = False
    scripts: tuple[str, str] | None = None

    def names(self, position: int) -> list[NewName]:
        """One of twenty-five people, each called differently."""
        one, other = position % FIVE, (position // FIVE + position) % FIVE
        given, family = self.given.split(", ")[one], self.family.split(", ")[other]
        ordered = (family, given) if self.family_first else (given, family)
        found = [NewName(NameKind.PUBLISHED, " ".join(ordered), given, family)]
        if self.scripts is not None:
            families, own_given = (part.split(", ") for part in self.scripts)
            found.append(NewName(NameKind.LEGAL, f"{families[other]}{own_given[one]}"))
        return found


CUSTOMS = (
    Custom("Maeve, Declan, Aoife, Tadhg, Siobhán", "O'Brien, O’Shea, Ní Fhloinn, Mac Giolla, Quillfeather"),
    Custom(
        "Élodie, Étienne, Maëlle, Loïc, Zoé",
        "Côté-Lavigne, D'Aubreville, Lefrançois, Saint-Onge, Bélair",
        "fr",
    ),
    Custom(
        "Łucja, Bożena, Stanisław, Grażyna, Michał",
        "Wiśniokowska, Żurkowicz, Łękawa, Śliwczyńska, Dąbrowiec",
        "pl",
    ),
    Custom("Søren, Åse, Bjørn, Ingebjørg, Kåre", "Ødemark, Hagelund, Åkerholm, Strømdal, Bækkelien", "nb"),
    Custom(
        "Þórdís, Guðrún, Sigurður, Ásgeir, Hrafnhildur",
        "Eiðsdóttir, Bjarkason, Örlygsdóttir, Þrastarson, Völudóttir",
        "is",
    ),
    Custom(
        "Jürgen, Käthe, Anneliese, Günther, Dörte",
        "Großweber, Müllheimer, von der Aue, Weiß-Kessler, Übelacker",
        "de",
    ),
    Custom("Şebnem, Işıl, Çağrı, Gülsüm, Oğuz", "Yıldızhan, Akçaoğlu, Demirışık, Şimşekçi, Özgüneş", "tr"),
    Custom(
        "Iñaki, Begoña, María José, Nuño, Inés",
        "Núñez de Arcona, Ibáñez Luarca, Peñalver, Güemes Ruano, de la Vegarra",
        "es",
    ),
    Custom(
        "João, Conceição, Inês, Simão, Luísa",
        "Brandão, Gonçalvinho, dos Santos Mourinha, Assunção, Falcão",
        "pt",
    ),
    Custom("Hēmi, Ngāio, Rāwiri, Whetū, Tūī", "Tāwhirimoana, Pōhatunui, Te Kōwhai, Rāroa, Hūriwai", "mi"),
    Custom(
        "Keʻalohi, Nāinoa, Makanaʻole, Leiʻilima, Kahōkū",
        "Kaʻaihuena, Nāmakaʻeha, Pūlehunui, Keahoʻole, Mahiʻaikai",
        "haw",
    ),
    Custom(
        "Sione, Mele, Lupe, Tavita, Fetū",
        "Faleʻaoga, Tuʻinukuafe-Lolo, Matāutia, Seiuli-Vaega, Taʻavale",
        "sm",
    ),
    Custom(
        "Nguyệt, Thảo, Đức, Hằng, Quốc",
        "Trầnvăn, Đặnghữu, Phùngthị, Lươngđình, Vũngọc",
        "vi",
        family_first=True,
    ),
    Custom(
        "Xiaolan, Yuheng, Meiqi, Junfeng, Zihan",
        "Oumu, Duanli, Xianyu, Gongye, Shangmo",
        "zh",
        family_first=True,
        scripts=("欧木, 端利, 鲜于, 公冶, 尚莫", "晓岚, 宇恒, 美琪, 俊峰, 子涵"),
    ),
    Custom(
        "Haruka, Tatsurō, Yūko, Shōhei, Kōsuke",
        "Tsukimori, Ōnogawa, Hoshizaki, Kazehaya, Shiragiku",
        "ja",
        scripts=("月森, 大野川, 星崎, 風早, 白菊", "遥, 達郎, 優子, 翔平, 康介"),
    ),
    Custom(
        "Seo-yeon, Ji-hoo, Ha-eun, Do-yun, Ye-rin",
        "Namgung-ho, Seonu, Hwangbo, Dokgo, Jegal",
        "ko",
        family_first=True,
        scripts=("남궁호, 선우, 황보, 독고, 제갈", "서연, 지후, 하은, 도윤, 예린"),
    ),
    Custom(
        "Layla, Yousef, Hanān, Tāriq, Rīm",
        "al-Marjani, Abu Zaytun, al-Qamari, Bin Nakhla, Sarrāf-Hadi",
        "ar",
        scripts=("المرجاني , أبو زيتون , القمري , بن نخلة , الصراف ", "ليلى, يوسف, حنان, طارق, ريم"),
    ),
    Custom(
        "Shirin, Kāveh, Parisa, Bahrām, Golnāz",
        "Sepidārvand, Kuhestāni, Daryābandi, Mehrābpur, Zarrinkelk",
        "fa",
    ),
    Custom(
        "Adunọlá, Ọláwálé, Ṣadé, Babátúndé, Fúnmiláyọ̀",
        "Adékọ́ndà, Ọlátúnjìí, Òkèowó, Bámgbólúwa, Ṣógbèsan",
        "yo",
    ),
    Custom(
        "Chiamaka, Obinna, Ngọzi, Kelechi, Adaeze",
        "Nwaọkwu, Ezeanyanwụ, Okpalaeke, Umeadịmma, Onwuzulike",
        "ig",
    ),
    Custom(
        "Anjali, Vikram, Lakshmi, Devendra, Padma",
        "Sundararamani, Chakravartula, Venkatagiri, Bhattatiri, Mukhodhyay",
        "hi",
    ),
    Custom(
        "Thaleia, Nikólaos, Despina, Achilléas, Ourania",
        "Papathalassiou, Kastanopoulou, Mavrolithos, Anemogiannis, Xenokosta",
        "el",
    ),
    Custom(
        "Oleksandra, Bohdan, Zoriana, Taras, Liubomyra",
        "Vyshnivetska-Hai, Kalynchuk, Soloveienko, Dubrovyi, Zhuravlyna",
        "uk",
        scripts=(
            "Вишнівецька-Гай , Калинчук , Солов’єєнко , Дубровий , Журавлина ",
            "Олександра, Богдан, Зоряна, Тарас, Любомира",
        ),
    ),
    Custom(
        "Harriet, Rosalind, Percival, Winifred, Ambrose",
        "Thistlemoor, Larkspence, Hollowbridge, Fenwillow, McAllardyce",
    ),
)

MONONYMS = ("Suhartika", "Wibawanti", "Thangaroopa", "Dorjesel", "Tsheringma")
"""People with one name only."""


def crowd_names() -> Iterator[tuple[list[NewName], str]]:
    """Names without end that anyone could confuse, with a language each; none occurs twice in six hundred."""
    for round_ in range(FIVE * FIVE):
        for custom in CUSTOMS:
            yield custom.names(round_), custom.language
        if round_ < len(MONONYMS):
            name = MONONYMS[round_]
            yield [NewName(NameKind.PUBLISHED, name, None, name)], "id"
