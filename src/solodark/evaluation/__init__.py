"""How good a master dark is: equivalent subs by the unbiased product, beside every rival."""

from solodark.evaluation.estimators import Estimator, MeanOfSubs, SubsEstimator, one_sub
from solodark.evaluation.series import SeriesSums, measure_series
from solodark.evaluation.strata import STRATA, classify_pixels
from solodark.evaluation.table import Cell, EvaluationTable, Row, evaluate_series, tabulate
from solodark.evaluation.truth import Fold, held_out_folds, one_sub_variance, product_error

__all__ = [
    "STRATA",
    "Cell",
    "Estimator",
    "EvaluationTable",
    "Fold",
    "MeanOfSubs",
    "Row",
    "SeriesSums",
    "SubsEstimator",
    "classify_pixels",
    "evaluate_series",
    "held_out_folds",
    "measure_series",
    "one_sub",
    "one_sub_variance",
    "product_error",
    "tabulate",
]
