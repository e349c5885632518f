"""Why a household is on a plan, or is not, and what a limit costs, in Indonesian and in English."""

from __future__ import annotations

from typing import Final, NamedTuple

MILLION: Final = 1_000_000
STEP: Final = 10  # visits that a price is told for
STEP_IDR: Final = 10 * MILLION


class Said(NamedTuple):
    """In Indonesian and in English."""

    id: str
    en: str


CHILDREN: Final = {
    "find": Said("anak stunting", "stunted children"),
    "prevent": Said("anak yang akan stunting pada umur 24 bulan", "children stunted at 24 months"),
    "by_age": Said("anak stunting, kini atau pada umur 24 bulan", "children stunted, now or at 24 months"),
}
APART: Final = {
    "visited": Said("baru dikunjungi", "visited lately"),
    "objection": Said("keberatan keluarga masih terbuka", "the family objects, and that is open"),
    "moved": Said("sudah pindah", "has moved away"),
    "deceased": Said("anak atau ibu telah meninggal", "the child or the mother has died"),
    "deferred": Said("ditunda oleh petugas", "deferred by an officer"),
    "accepted": Said("sudah disetujui petugas", "already accepted by an officer"),
    "referred": Said("di daftar rujukan segera, tidak diurutkan", "on the urgent list, and not ranked"),
    "not of the objective": Said(
        "tidak ada anak yang dinilai menurut tujuan ini", "no child of an age that the objective asks about"
    ),
    "other region": Said("di luar wilayah yang dipilih", "outside the regions asked for"),
}
RULES: Final = {
    "capacity": Said("kapasitas putaran", "the capacity of the round"),
    "prevent_share": Said("bagian kunjungan untuk tujuannya", "its objective's part of the visits"),
    "floors.region": Said("jumlah paling sedikit per wilayah", "the floor of its region"),
    "floors.area": Said("jumlah paling sedikit per desa", "the floor of its desa"),
    "floors.posyandu": Said("jumlah paling sedikit per posyandu", "the floor of its posyandu"),
    "quotas.region": Said("batas per wilayah", "the quota of its region"),
    "quotas.area": Said("batas per desa", "the quota of its desa"),
    "quotas.posyandu": Said("batas per posyandu", "the quota of its posyandu"),
    "named": Said("ketentuan khusus tempat ini", "the rule for this place"),
    "reserves.pregnant": Said("cadangan ibu hamil", "the reserve for pregnant women"),
    "reserves.under_24_months": Said("cadangan anak di bawah 24 bulan", "the reserve for children under 24 months"),
    "reserves.never_measured": Said(
        "cadangan anak yang belum pernah diukur", "the reserve for children never measured"
    ),
    "workload.equal_share": Said("pemerataan antarpetugas", "the share spread over workers"),
    "workload.most": Said("beban paling banyak per petugas", "the most visits of a worker"),
    "budgets_idr": Said("anggaran", "the budget"),
}
BY_VALUE: Final = Said("nilai tertinggi", "what it is worth")
BY_LOT: Final = Said("undian", "a lot, so that the model also learns of others")


def rule_said(rule: str, place: str) -> Said:
    """A rule with the place that it is about."""
    words = RULES[rule]
    return Said(f"{words.id} ({place})", f"{words.en} ({place})") if place else words


def kept_out(rule: str, place: str, short: float) -> Said:
    """Which limit kept a household out, and by how much. [children]"""
    words = rule_said(rule, place)
    if short <= 0:
        return Said(f"tepat di batas: {words.id}", f"on the very cut: {words.en}")
    return Said(
        f"{words.id}; perkiraan anak stunting kurang {_comma(short)} dari batas",
        f"{words.en}; {short:.3f} expected stunted children below the cut",
    )


def price_said(rule: str, place: str, price: float, *, least: float, room: int, objective: str) -> Said | None:
    """What a little more room, or a little less of a least amount, would reach; None where it changes nothing.

    Parameters
    ----------
    room
        Households of the limit that are not visited: no more visits than these are told of.
    """
    words, what = rule_said(rule, place), CHILDREN[objective]
    step = min(STEP, round(least)) if price < 0 else min(STEP, room)
    more = abs(price) * (STEP_IDR if rule == "budgets_idr" else step)
    if more < 5e-4:  # noqa: PLR2004 (shown to three decimals)
        return None
    if rule == "budgets_idr":
        return Said(
            f"Rp10 juta lagi untuk {words.id}: sekitar {_comma(more)} {what.id} lagi (nilai rencana)",
            f"Rp10 million more for {words.en}: about {more:.3f} more {what.en} (worth of the plan)",
        )
    visits = "visit" if step == 1 else "visits"
    if price < 0:
        return Said(
            f"{step} kunjungan lebih sedikit untuk {words.id}: sekitar {_comma(more)} {what.id} lagi di tempat lain",
            f"{step} {visits} fewer for {words.en}: about {more:.3f} more {what.en} elsewhere",
        )
    return Said(
        f"{step} kunjungan lagi pada {words.id}: sekitar {_comma(more)} {what.id} lagi",
        f"{step} more {visits} within {words.en}: about {more:.3f} more {what.en}",
    )


def _comma(number: float) -> str:
    return f"{number:.3f}".replace(".", ",")
