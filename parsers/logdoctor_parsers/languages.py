"""Labels in other languages, and marks of other scripts, put into those the reader knows; tags stay as printed."""

from __future__ import annotations

import re
from functools import lru_cache

# Full-width and box-drawing characters that separate names, numbers and columns.
PUNCTUATION = str.maketrans(
    {"：": ": ", "，": ", ", "；": "; ", "（": "(", "）": ")", "＝": "=", "【": "[", "】": "]", "、": ", ", "。": ". ",
     "％": "%", "／": "/", "│": "|", "┃": "|", "║": "|", "→": "->", "−": "-",
     "\u00a0": " ", "\u3000": " ", "\u202f": " "}
)  # fmt: skip

_LABELS = {
    "train": "训练 訓練 学習 훈련 학습 обучении обучения обучение тренировочная обучающая trainings"
             " entraînement entrenamiento treino treinamento addestramento treningowa treningowy treningu uczenia"
             " eğitim pelatihan навчання навчальна trénovací trénování trénink",
    "val": "验证 驗證 検証 검증 валидации валидация валидационная validierungs validierung validación"
           " validação validazione walidacyjna walidacji walidacja doğrulama validasi валідації валідаційна validační"
           " validatie",
    "test": "测试 測試 テスト 테스트 тестовая тест тесте prueba teste",
    "loss": "损失 損失 誤差 ロス 손실 потери потеря потерь лосс verlust verluste fehler perte pertes"
            " pérdida perdida perda perdita strata straty kayıp kaybı kerugian втрати втрата ztráta verlies",
    "accuracy": "准确率 准确度 正确率 精度 正解率 準確率 정확도 точность genauigkeit trefferquote"
                " exactitude exactitud acurácia acuracia accuratezza dokładność doğruluk doğruluğu akurasi"
                " точність přesnost nauwkeurigheid",
    "lr": "学习率 学習率 學習率 학습률 lernrate leersnelheid",
    "epoch": "轮次 轮 回合 周期 エポック 에폭 에포크 эпоха эпохи epoche époque época epoca"
             " epoka epoki dönem epok епоха epocha",
    "step": "步数 步 ステップ 스텝 шаг schritt étape paso passo",
    "iter": "迭代 反復 итерация iteración iteração iterazione",
    "avg": "平均 среднее средняя mittlerer durchschnittlicher moyenne promedio média",
    "recall": "召回率 再現率 재현율",
    "precision": "精确率 適合率 정밀도 précision precisión",
    "time": "时间 耗时 用时 時間 시간 время dauer zeit durée temps tiempo tempo",
    "best": "最佳 最好 最高 最良 최고 лучший лучшая beste bester meilleur meilleure mejor melhor",
}  # fmt: skip
PHRASES = {
    "скорость обучения": "lr",
    "taux d'apprentissage": "lr",
    "tasa de aprendizaje": "lr",
    "taxa de aprendizado": "lr",
    "tasso di apprendimento": "lr",
    "współczynnik uczenia": "lr",
    "öğrenme oranı": "lr",
    "öğrenme hızı": "lr",
    "laju pembelajaran": "lr",
    "швидкість навчання": "lr",
    "rychlost učení": "lr",
    "tốc độ học": "lr",
    "độ chính xác": "accuracy",
    "mất mát": "loss",
    "huấn luyện": "train",
}
_ENGLISH = {label: english for english, labels in _LABELS.items() for label in labels.split()} | PHRASES
_SPACED = [label for label in _ENGLISH if re.match(r"[a-zß-ɏа-џ]", label)]  # scripts that put blanks between words
_WORDS = "|".join(sorted(_SPACED, key=len, reverse=True))
_SIGNS = "|".join(sorted(_ENGLISH.keys() - set(_SPACED), key=len, reverse=True))
# A compound (`Trainingsverlust`) begins with a label; what merely contains one (`percent`) does not.
_LABEL = re.compile(
    rf"(?<![^\W\d_])(?:{_WORDS})(?:(?={_WORDS})|(?![^\W\d_]))|(?<=s)(?:{_WORDS})(?![^\W\d_])|(?:{_SIGNS})"
)


_LATIN = re.compile(r"[a-z]+")
_OF_PHRASES = frozenset(word for phrase in PHRASES for word in _LATIN.findall(phrase))


@lru_cache(maxsize=65536)
def english(text: str) -> str:
    """`text` with labels of other languages put into English."""
    lower = text.lower()
    if lower.isascii() and not any(map(_may_be_label, _LATIN.findall(lower))):
        return text
    return _LABEL.sub(lambda match: f" {_ENGLISH[match[0]]} ", lower) if _LABEL.search(lower) else text


@lru_cache(maxsize=65536)
def _may_be_label(word: str) -> bool:
    """Whether a word is a label, a compound with one, or part of a phrase."""
    return word in _OF_PHRASES or _LABEL.search(word) is not None
