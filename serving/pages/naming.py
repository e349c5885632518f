"""Names of registers, words for how well was measured, and for why rows are kept out; Indonesian, for the catalogue."""

from __future__ import annotations

from typing import Final

from features import cells, names, validation
from serving.pages.map import words

REGISTER: Final = {
    "area": words("Wilayah"),
    "household": words("Keluarga"),
    "sanitation": words("Air minum dan sanitasi"),
    "maternal": words("Ibu"),
    "pregnancy": words("Kehamilan dan kelahiran"),
    "child": words("Anak"),
    "measurement": words("Pengukuran anak"),
    "service": words("Layanan yang diterima"),
    "contact": words("Kunjungan, kepindahan, kematian"),
    "household_name": words("Nama kepala keluarga (disimpan terpisah)"),
}
QUALITY: Final = {
    "poor": words("perlu dilihat"),
    "fair": words("cukup"),
    "good": words("baik"),
    "too few to tell": words("terlalu sedikit"),
}
WHY_OUT: Final = {
    validation.COPY: words("salinan persis baris lain; satu disimpan"),
    validation.CONFLICT: words("beberapa baris berkunci sama tetapi berbeda isi; sisakan satu"),
    validation.UNTIMELY: words("setelah hari data ini diambil"),
    validation.UNBORN: words("setelah recorded_on: tidak ada yang dicatat sebelum lahir"),
    validation.UNTRUE: words("setelah recorded_on: tidak ada yang dicatat sebelum terjadi"),
    cells.DAMAGED: words("rusak oleh lembar kerja; ekspor kolomnya sebagai teks"),
    cells.MARKED: words("diawali ' atau =, yang ditambahkan lembar kerja; ekspor kolomnya sebagai teks"),
    cells.UNPRINTABLE: words("memuat tanda yang bukan huruf, angka, tanda, atau satu spasi biasa; ketik ulang"),
    cells.NOTHING: words("kata atau tanda untuk kosong, bukan pengenal; kosongkan bila tidak diketahui"),
    cells.SERIAL: words("nomor tanggal Excel; ekspor kolomnya sebagai tanggal, YYYY-MM-DD"),
    cells.GROUPED: words("pemisah ribuan, atau pecahan dari yang dihitung utuh; tulis seribu sebagai 1000"),
    cells.AMBIGUOUS: words("pemisah ribuan atau tanda desimal? tulis 2975 untuk ribuan, 2.9750 untuk desimal"),
    names.NUMBERED: words("angka, misalnya NIK, nomor KK, atau nomor telepon, bukan nama; tulis namanya"),
    names.NAMELESS: words("kata atau tanda untuk kosong, bukan nama; hapus barisnya bila tidak diketahui"),
    names.HIDDEN: words("memuat ganti baris atau tanda lain yang tidak terlihat; ketik ulang namanya"),
    names.FORMULA: words("rumus atau galat lembar kerja, bukan nama; ekspor kolomnya sebagai teks"),
    cells.EMPTY: words("kosong, padahal wajib"),
    cells.OUTSIDE: words("di luar kisaran yang diperbolehkan"),
    cells.UNKNOWN_CODE: words("kode tidak dikenal"),
    "not a number": words("bukan angka"),
    "not written as a whole number": words("tidak ditulis sebagai bilangan bulat"),
    "has a fraction, but counts whole things": words("berpecahan, padahal menghitung yang utuh"),
    "neither yes nor no": words("bukan ya dan bukan tidak"),
    "not a date": words("bukan tanggal"),
    "before 1900": words("sebelum tahun 1900"),
}
"""By the words of the contract; what is not here is told as the contract has it."""
